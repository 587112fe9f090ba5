"""What proves a person a second time: a passkey, an app, recovery codes, or a mailed code.

django-allauth makes and keeps the factors (`allauth.mfa`). Here is what the portal asks of them:
`passkeys` and `factors` judge what a person answers, `services` is what is done to factors, with
history and notices, `proof` says when somebody must prove who they are again.
"""
