"""Signing in with an identity provider (OpenID Connect): GCKey and the Sign-In Partners.

The portal is a relying party. django-allauth speaks the protocol; what it leaves to trust is
checked here: `tokens` what a provider signs, `provider` what the portal asks and believes, `views`
the addresses. Who a person is at a provider says nothing of what the person may do in the portal.
"""
