"""What each field of each record holds, as a class of protection.

A class says what is demanded of whatever carries it: docs/security.md, "Classes of data", tells it
and names the tests. A field without a class keeps the pages of `docs/` from being written, and
fails a test: whoever adds one decides. Source: ASVS 5.0.0, 14.1.1 and 14.1.2.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from django.db.models import Model

type Fields = dict[str, list[str]]
"""The names of a record's fields, by class."""

CLASSES = {
    "public": "what anybody may know: it comes with the portal",
    "internal": "keys, states, counts and times of the portal’s own, which tell of nobody",
    "business": "what businesses say, trade and agree on; secret among competitors",
    "personal": "who somebody is, what a person did, and what was written in words of one’s own",
    "secret": "what proves something to whoever holds it",
}

SECRETS = {
    "kept as a hash": (
        "accounts.User.password accounts.SpentToken.digest delegation.CalendarFeed.token_hash "
        "delegation.Invitation.token_digest"
    ),
    "sealed under a key outside the database, recovery codes as hashes": "mfa.Authenticator.data",
    "sealed under a key outside the database": "notices.Notice.sealed",
    "as it is, until its session is over": (
        "sessions.Session.session_key sessions.Session.session_data "
        "usersessions.UserSession.session_key usersessions.UserSession.data"
    ),
    "as it is, until the claim is judged or its draft is 30 days old": (
        "registration.Registration.transaction_number "
        "registration.Registration.transaction_total registration.Registration.payment_on "
        "registration.Registration.payment_amount registration.Registration.statement_on "
        "registration.Registration.statement_balance"
    ),
    "as it is, in the register: held against what is typed, and shown to nobody": (
        "businesses.RegisterTransaction.number businesses.RegisterTransaction.accounted_on "
        "businesses.RegisterTransaction.duties_and_taxes businesses.RegisterPayment.paid_on "
        "businesses.RegisterPayment.amount businesses.RegisterStatement.issued_on "
        "businesses.RegisterStatement.balance"
    ),
    "never written: settings hold it, or nothing does": (
        "socialaccount.SocialApp.secret socialaccount.SocialApp.key "
        "socialaccount.SocialToken.token socialaccount.SocialToken.token_secret "
        "account.EmailConfirmation.key"
    ),
}
"""How each secret is kept."""


def read(text: str) -> dict[str, Fields]:
    """Each record of a text by its name; below it a line begins with a class, and names fields."""
    found: dict[str, Fields] = {}
    record = ""
    for line in text.strip().splitlines():
        if line.startswith(" "):
            name, *fields = line.split()
            found[record][name] += fields
        else:
            record, found[line] = line, defaultdict(list)
    return found


def unclassed(models: Iterable[type[Model]], told: dict[str, Fields]) -> list[str]:
    """Fields without a class or with two, names of none, and classes that are none."""
    there = Counter(
        f"{model._meta.label}.{field.name}"
        for model in models
        for field in model._meta.concrete_fields
    )
    said = Counter(
        f"{label}.{name}"
        for label, fields in told.items()
        for one in CLASSES
        for name in fields.get(one, [])
    )
    return sorted(name for name in there | said if there[name] != said[name])


PROTECTED = read("""
account.EmailAddress
    internal id
    personal user email verified primary
account.EmailConfirmation
    internal id created sent
    personal email_address
    secret key
accounts.CodeTries
    personal person wrong newest_at
accounts.Consent
    internal id
    personal user kind text_hash language at version
accounts.OfficerRole
    internal id
    personal person kind starts_at ends_at given_by ended_by
accounts.PersonalProfile
    internal id
    personal user telephone telephone_extension notify_by_email created_at
accounts.SpentToken
    internal until
    secret digest
accounts.User
    internal id is_superuser is_staff
    personal last_login date_joined username first_name last_name email language sessions_ended
    personal is_active
    secret password
accounts.User_groups
    internal id group
    personal user
accounts.User_user_permissions
    internal id permission
    personal user
audit.Chain
    internal head length newest_at
    business key
audit.Event
    internal id chain seq verb object_type object_id request_id previous_hash hash
    business acting_for path
    personal actor_id actor_name object_label before after reason at
auth.Group
    internal id name
auth.Group_permissions
    internal id group permission
auth.Permission
    public id name content_type codename
businesses.BusinessAccount
    internal id
    business bn9 legal_name operating_name street city region postal_code country provider_type
    business status email
businesses.ProgramAccount
    internal id
    business business extension name kind opened_at closed_at
businesses.ProgramGroup
    internal id
    business business name archived_at
businesses.ProgramGroupMember
    internal id
    business group program starts_at ends_at
businesses.RegisterEntity
    business bn9 legal_name operating_name street city region postal_code country provider_type
    business emails
businesses.RegisterPayment
    internal id
    business entity extension
    secret paid_on amount
businesses.RegisterProgram
    internal id
    business entity extension name kind is_open
businesses.RegisterStatement
    internal id
    business entity extension
    secret issued_on balance
businesses.RegisterTransaction
    internal id
    business entity extension
    secret number accounted_on duties_and_taxes
contenttypes.ContentType
    public id app_label model
delegation.AccessRequest
    internal id version told_at
    business starts_at closes_at decision decided_at bn9
    personal decided_by person note
delegation.AccessRequestLine
    internal id
    business extension decision decided_at request wished_role granted_role
    personal decided_by reason
delegation.AccessReview
    internal id digest
    business business opened_at signed_at
    personal opened_by signed_by
delegation.AccessReviewLine
    internal id position
    business review business_role program_role group_member role scope since answer reduce_to
    business result applied_at
    personal person person_name last_used_on answered_by applied_by
delegation.BusinessRole
    internal id permission
    business starts_at ends_at granted_at source content_object
    personal granted_by ended_by user
delegation.CalendarFeed
    internal id
    business starts_at ends_at business
    personal person
    secret token_hash
delegation.ClientGroup
    internal id created_at
    business provider name archived_at
delegation.ClientGroupMember
    internal id
    business starts_at ends_at group client
delegation.EmployeeGroup
    internal id auth_group created_at
    business business name archived_at
delegation.EmployeeGroupMember
    internal id
    business starts_at ends_at group
    personal person
delegation.GroupProgramGroupRole
    internal id permission group
    business starts_at ends_at granted_at source content_object
    personal granted_by ended_by
delegation.GroupProgramRole
    internal id permission group
    business starts_at ends_at granted_at source content_object
    personal granted_by ended_by
delegation.Invitation
    internal id version
    business business makes_bam starts_at closes_at decision decided_at
    personal email language message invited_by decided_by
    secret token_digest
delegation.InvitationLine
    internal id
    business invitation program role
delegation.InvitationMail
    internal id sent_at
    business invitation business
    personal sent_by
delegation.Invitation_groups
    internal id
    business invitation employeegroup
delegation.Lookup
    internal id
    business starts_at ends_at business
    personal officer purpose
delegation.Membership
    internal id
    business starts_at ends_at business suspended_at
    personal person last_used_on ended_by end_reason
delegation.Mute
    internal id
    business starts_at ends_at business provider
    personal person muted_by ended_by report
delegation.ProgramRole
    internal id permission
    business starts_at ends_at granted_at source content_object
    personal granted_by ended_by user
delegation.RecoveryRequest
    internal id version told_at
    business starts_at closes_at decision decided_at bn9 proposed_at
    personal decided_by person statement proposed proposed_by finding reason
delegation.Relationship
    internal id
    business starts_at ends_at client provider is_open_ended suspended_at request offer is_left
    personal ended_by end_reason
delegation.RelationshipOffer
    internal id version told_at
    business starts_at closes_at decision decided_at visibility_broker visibility_importer
    business visibility_other client provider_bn9 level covers_future ceiling may_submit
    business may_pay may_see_amounts last_day consent_version
    personal decided_by open_end_reason comment offered_by reason
delegation.RelationshipOffer_programs
    internal id
    business relationshipoffer programaccount
delegation.RelationshipRequest
    internal id version told_at nudged_at
    business starts_at closes_at decision decided_at visibility_broker visibility_importer
    business visibility_other provider client_bn9 level covers_future ceiling wished_last_day
    personal decided_by comment requested_by
delegation.RelationshipRequestLine
    internal id
    business extension decision decided_at request
    personal decided_by reason
delegation.RelationshipTerms
    internal id
    business starts_at ends_at visibility_broker visibility_importer visibility_other
    business relationship program level ceiling may_submit may_pay may_see_amounts
    business consent_version consent_hash_en consent_hash_fr agreed_at
    personal agreed_by open_end_reason ended_by
delegation.Reminder
    internal id days_before made_at subject
    business last_day
delegation.ReminderDay
    internal day
delegation.RequestBatch
    internal id
    business provider name is_legacy uploaded_at confirmed_at
    personal uploaded_by confirmed_by
delegation.RequestBatchRow
    internal id state
    business batch number client_bn9 request cells wish problems
delegation.RequestTally
    internal id
    business asker on asked turned_away
delegation.StaffAssignment
    internal id
    business starts_at ends_at provider employee_group client client_group role
    personal person assigned_by
delegation.Succession
    internal id version
    business starts_at ends_at business claimed_at ready_at outcome
    personal person named_by reason closed_by outcome_reason
delegation.ViewAs
    internal id seen_at
    business relationship opened_at
    personal person opened_by
guardian.GroupObjectPermission
    internal id permission content_type object_pk group
guardian.UserObjectPermission
    internal id permission content_type object_pk
    personal user
mfa.Authenticator
    internal id type created_at
    personal user last_used_at
    secret data
notices.Notice
    internal id key template attempts last_error
    personal recipient address language subject body sent_at created_at
    secret sealed
officers.AccountRecovery
    internal id version told_at
    personal starts_at closes_at decision decided_at decided_by person email proposed_by finding
    personal reason
pages.Submission
    internal id key digest outcome created_at
    personal user
registration.Attempt
    internal id
    business registration number at
    personal person
registration.ClaimedNumber
    business bn9
registration.Registration
    internal id version started_at updated_at
    business bn9 extension legal_name operating_name street city region postal_code country
    business has_no_records terms_version terms_hash_en terms_hash_fr terms_accepted_at outcome
    business submitted_at evidence business second_manager_declined_at terms_language
    personal person
    secret transaction_number transaction_total payment_on payment_amount statement_on
    secret statement_balance
registration.ReviewRequest
    internal id
    business registration bn9 at
    personal person note
sessions.Session
    internal expire_date
    secret session_key session_data
socialaccount.SocialAccount
    internal id provider
    personal user uid last_login date_joined extra_data
socialaccount.SocialApp
    internal id provider provider_id name client_id settings
    secret secret key
socialaccount.SocialToken
    internal id app expires_at
    personal account
    secret token token_secret
transactions.ClientDeclaration
    internal id
    business provider declared_at declaration
transactions.Declaration
    internal id
    business number program owner declared_at kind own_reference latest_number
transactions.DeclarationLine
    internal id
    business version number hs_code description origin tariff_treatment quantity unit
    business value_for_duty duty sima excise gst
transactions.DeclarationParty
    internal id
    business declaration program submitter declared_at side
transactions.DeclarationVersion
    internal id
    business declaration number program owner submitter acting_under submitted_at released_on
    business office vendor currency reason_code remarks value_for_duty duties sima excise gst
    business total
    personal submitted_by
usersessions.UserSession
    internal id
    personal user ip last_seen_at user_agent created_at
    secret session_key data
""")
"""Every record, the portal’s own and those of its libraries."""
