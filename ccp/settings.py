"""The portal's settings. Everything that differs between places comes from the environment.

`PORTAL_PROFILE` names the place: `demo` (the default: one machine, SQLite, mail on the console),
`test`, `production`, and `loopback`: production on this machine alone, with made-up people who sign
in with passwords, and mail in a folder. The variables are listed in `.env.example`.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

PROFILE = os.environ.get("PORTAL_PROFILE", "demo")
if PROFILE not in {"demo", "test", "loopback", "production"}:
    raise ImproperlyConfigured("PORTAL_PROFILE must be demo, test, loopback or production.")
IS_PRODUCTION, IS_LOOPBACK = PROFILE == "production", PROFILE == "loopback"
# What holds in production holds on loopback, but for who signs in and where mail goes.
IS_SHIPPED = IS_PRODUCTION or IS_LOOPBACK


def required(name: str, otherwise: str, *, where: bool = IS_SHIPPED) -> str:
    """The variable `name`; elsewhere than `where` (as shipped) a missing one reads `otherwise`."""
    value = os.environ.get(name, "")
    if not value and where:
        raise ImproperlyConfigured(f"{name} must be set in production.")
    return value or otherwise


DEBUG = os.environ.get("DEBUG") == "1"
if DEBUG and IS_SHIPPED:
    raise ImproperlyConfigured("DEBUG must not be set in production.")

SECRET_KEY = required("SECRET_KEY", "demonstration-only-" + "0" * 40)
# Former ones, newest first: what they sealed is still opened, and sealed anew where it is used.
SECRET_KEY_FALLBACKS = [one for one in os.environ.get("FORMER_SECRET_KEYS", "").split(",") if one]
PORTAL_URL = required("PORTAL_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = required("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")
# Who runs this portal. Empty: the banner says that it is not a Government of Canada site.
PORTAL_OPERATOR = os.environ.get("PORTAL_OPERATOR", "")

INSTALLED_APPS = [
    "ccp",
    "officers",
    "transactions",
    "registration",
    "delegation",
    "businesses",
    "accounts",
    "notices",
    "audit",
    "pages",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.usersessions",
    "allauth.mfa",
    "allauth.socialaccount.providers.openid_connect",
    "guardian",
]

MIDDLEWARE = [
    # First what says headers on every answer, whoever gives it: files, errors and refusals too.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pages.not_kept.NotKeptMiddleware",
    "audit.request_id.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "ccp.gate.GateMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.sessions.middleware.SessionsMiddleware",
    "accounts.sessions.middleware.SignInRequiredMiddleware",
    "accounts.middleware.ProfileRequiredMiddleware",
    "ccp.routes.RuleRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.ProofMiddleware",
]

ROOT_URLCONF = "ccp.urls"
WSGI_APPLICATION = "ccp.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pages.context.portal",
            ],
        },
    },
]
FORM_RENDERER = "pages.forms.Renderer"

# SQLite takes its write lock when a transaction begins: of concurrent read-then-write
# transactions none is lost, they wait for one another.
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{VAR_DIR / 'portal.sqlite3'}", conn_max_age=0, conn_health_checks=True
    )
}
IS_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    VAR_DIR.mkdir(exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
# Variables that libpq reads by itself: it follows some before DATABASE_URL, others beside it.
LIBPQ_LEADS_AWAY = sorted(
    {"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGOPTIONS"}
    & {*os.environ}
)
if IS_LOOPBACK:
    named = {*ALLOWED_HOSTS, urlsplit(PORTAL_URL).hostname, DATABASES["default"].get("HOST")}
    leads_away = {"host", "hostaddr", "service"} & {*DATABASES["default"].get("OPTIONS", {})}
    if leads_away or LIBPQ_LEADS_AWAY or not named <= {"localhost", "127.0.0.1", "::1", None, ""}:
        raise ImproperlyConfigured("On loopback every host must be this machine.")

# The cache holds sign-in rate limits, so it must be shared by all processes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        # Far more than can be alive at one time: nobody pushes out the limit that holds them.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
# How many proxies of ours stand before the portal. Each adds to X-Forwarded-For whom it heard, and
# what stands before those is a visitor's own invention. Told wrongly, all visitors share one limit.
try:
    ALLAUTH_TRUSTED_PROXY_COUNT = int(required("TRUSTED_PROXIES", "0"))
except ValueError:
    raise ImproperlyConfigured("TRUSTED_PROXIES must be a number.") from None

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.sign_in.Backend"]
# For recovery codes, and for the passwords of demonstrations: slow, and dear in memory.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_CHANGE_EMAIL = True
# Who must prove again who they are is the portal's own rule (accounts/second_factor/proof.py).
ACCOUNT_REAUTHENTICATION_REQUIRED = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_USER_DISPLAY = "accounts.sign_in.display"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_ADAPTER = "accounts.sign_in.AccountAdapter"
# The second factor: a passkey, an authenticator app or a recovery code; a mailed code without one.
MFA_ADAPTER = "accounts.second_factor.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
# For how long somebody who proved who they are need not do so again before a sensitive act.
PROOF_MINUTES = 15
# After how many days without a sign-in a profile counts as unused, and when that is announced.
UNUSED_DAYS, UNUSED_WARNING_DAYS = 180, (150, 170)
# Wrong codes in a row after which no code is taken, and for how long.
WRONG_CODES, WRONG_CODES_LOCK_MINUTES = 10, 60


# Signing in with an identity provider (OpenID Connect): the issuer, what the portal is called there
# and its secret, and the levels of assurance (acr), any of which is enough. A name stands for one
# issuer for good: people are known by issuer and subject.
def identity_provider(
    provider_id: str, button: object, issuer: str, client_id: str, secret: str, acr: str
) -> list[dict[str, Any]]:
    """The provider as django-allauth wants it told; none where no issuer is named."""
    if not issuer:
        return []
    if IS_PRODUCTION and not (
        issuer.startswith("https://") and client_id and secret and acr.split()
    ):
        raise ImproperlyConfigured(
            f"{provider_id}: an issuer that begins with https://, a client ID, a secret and a "
            "level of assurance must be set in production."
        )
    return [
        {
            "provider_id": provider_id,
            "name": button,
            "client_id": client_id or "portal",
            "secret": secret or "demonstration-only",
            "settings": {"server_url": issuer, "acr": acr.split()},
        }
    ]


SIGN_IN_WITH = [
    *identity_provider(
        "gckey",
        _("Sign in with GCKey"),
        os.environ.get("GCKEY_ISSUER", ""),
        os.environ.get("GCKEY_CLIENT_ID", ""),
        os.environ.get("GCKEY_CLIENT_SECRET", ""),
        os.environ.get("GCKEY_ACR", ""),
    ),
    *identity_provider(
        "sign-in-partner",
        _("Continue to Sign-In Partner"),
        os.environ.get("SIGN_IN_PARTNER_ISSUER", ""),
        os.environ.get("SIGN_IN_PARTNER_CLIENT_ID", ""),
        os.environ.get("SIGN_IN_PARTNER_CLIENT_SECRET", ""),
        os.environ.get("SIGN_IN_PARTNER_ACR", ""),
    ),
]
if IS_PRODUCTION and not SIGN_IN_WITH:
    raise ImproperlyConfigured("GCKEY_ISSUER or SIGN_IN_PARTNER_ISSUER must be set in production.")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "accounts.federation.provider.IdentityProvider",
        "APPS": SIGN_IN_WITH,
    }
}
SOCIALACCOUNT_ADAPTER = "accounts.sign_in.IdentityAdapter"
ACCOUNT_FORMS = {
    "confirm_login_code": "accounts.forms.LoginCodeForm",
    "confirm_email_verification_code": "accounts.forms.EmailCodeForm",
    "confirm_password_reset_code": "accounts.forms.PasswordCodeForm",
    "reset_password": "accounts.forms.PasswordResetForm",
}
SOCIALACCOUNT_FORMS = {"signup": "accounts.forms.FirstSignInForm"}
# Where the pages of the providers stand, their issuers' addresses and others that they name.
IDENTITY_PROVIDER_ORIGINS = sorted(
    {
        f"{address.scheme}://{address.netloc}"
        for address in map(
            urlsplit,
            [
                *(str(found["settings"]["server_url"]) for found in SIGN_IN_WITH),
                *os.environ.get("IDENTITY_PROVIDER_ORIGINS", "").split(),
            ],
        )
    }
)
if IS_PRODUCTION and not all(origin.startswith("https://") for origin in IDENTITY_PROVIDER_ORIGINS):
    raise ImproperlyConfigured("IDENTITY_PROVIDER_ORIGINS must each begin with https://.")
# The level of assurance that the sandbox vouches for: level 2 of the Government of Canada.
SANDBOX_ACR = "urn:gc-ca:cyber-auth:assurance:loa2"
# Accounts of the portal's own, with a password: for demonstrations and tests.
LOCAL_ACCOUNTS = not IS_PRODUCTION

# Roles are guardian rows in tables of our own; nobody is anonymous and no class is patched.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
# The check asks for guardian's own backend in AUTHENTICATION_BACKENDS. It ignores periods, so
# delegation/access.py answers instead (docs/decisions/0001-guardian-row-is-the-role.md).
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
if IS_LOOPBACK:
    # Mail stays here, people have passwords, and nobody is real: see ccp/checks.py.
    SILENCED_SYSTEM_CHECKS += ["ccp.E012", "ccp.E013", "ccp.E014", "mail.E001"]

# Languages
LANGUAGE_CODE = "en-ca"
LANGUAGES = [("en-ca", _("English")), ("fr-ca", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = "ccp.formats"
USE_TZ = True
TIME_ZONE = "America/Toronto"

# Mail
MAIL_BACKEND = {
    "demo": "django.core.mail.backends.console.EmailBackend",
    "test": "django.core.mail.backends.locmem.EmailBackend",
    "loopback": "django.core.mail.backends.filebased.EmailBackend",
    "production": "django.core.mail.backends.smtp.EmailBackend",
}[PROFILE]
MAIL_OPTIONS: dict[str, Any] = (
    {
        "host": required("MAIL_HOST", "localhost"),
        "port": int(os.environ.get("MAIL_PORT", "587")),
        "username": os.environ.get("MAIL_USER", ""),
        "password": os.environ.get("MAIL_PASSWORD", ""),
        "use_tls": True,
        "timeout": 10,
    }
    if IS_PRODUCTION
    else {"file_path": required("MAIL_FOLDER", "")}
    if IS_LOOPBACK
    else {}
)
MAILERS = {"default": {"BACKEND": MAIL_BACKEND, "OPTIONS": MAIL_OPTIONS}}
DEFAULT_FROM_EMAIL = required("MAIL_FROM", "portal@localhost", where=IS_PRODUCTION)

# Static files
STATIC_URL = "/static/"
# Elsewhere static files are served from where they are written.
STATIC_ROOT = BASE_DIR / "staticfiles" if IS_SHIPPED else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if IS_SHIPPED
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not IS_SHIPPED
WHITENOISE_ALLOW_ALL_ORIGINS = False

# The browser: nothing from elsewhere, nothing inline.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    # A form that is sent may lead to a provider's sign-in or sign-out page.
    "form-action": [CSP.SELF, *IDENTITY_PROVIDER_ORIGINS],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
# Of what a browser can do for a page, nothing but passkeys.
PERMISSIONS_POLICY: dict[str, list[str]] = dict.fromkeys(
    (
        "accelerometer autoplay bluetooth browsing-topics camera clipboard-read compute-pressure "
        "display-capture encrypted-media fullscreen gamepad geolocation gyroscope hid "
        "identity-credentials-get idle-detection keyboard-map local-fonts magnetometer microphone "
        "midi otp-credentials payment picture-in-picture screen-wake-lock serial storage-access "
        "usb window-management xr-spatial-tracking"
    ).split(),
    [],
) | dict.fromkeys(("publickey-credentials-create", "publickey-credentials-get"), ["self"])
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# How long a session lasts: without another page, at most, and how long before it ends a page says
# so; how long a form that was sent after its end is kept.
SESSION_IDLE_MINUTES = 20
SESSION_LONGEST_HOURS = 12
SESSION_WARNING_MINUTES = 3
KEPT_FORM_MINUTES = 60
USERSESSIONS_ADAPTER = "accounts.sessions.endings.SessionsAdapter"
# For how long a row is known after it was written last. No right follows from it: it tells whoever
# comes back to an open page the next morning why the session is over, and whose form was sent.
SESSION_COOKIE_AGE = 24 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# What the portal says of a person stays on the server, in no cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "ccp.views.csrf_failure"
if IS_SHIPPED:
    SECURE_SSL_REDIRECT = True
    # To the portal's own address, whatever host the request named; monitors are not led about.
    SECURE_SSL_HOST = urlsplit(PORTAL_URL).netloc
    SECURE_REDIRECT_EXEMPT = ["^healthz/$"]
    SECURE_HSTS_SECONDS = 2 * 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrf"
    CSRF_TRUSTED_ORIGINS = [PORTAL_URL]

# A form of the portal is text: 1 MiB and 2,000 fields are more than any of them needs.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
# The largest file (4 MiB) and the form around it.
BODY_MAX_BYTES = 5 * 1024 * 1024

# One place to write to, one way to write. Django's own loggers write there too, and nowhere else:
# no mail to administrators, whose text would hold the request.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ccp.logs.JsonLines"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler"} | ({} if DEBUG else {"formatter": "json"})
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "accounts": {"level": "INFO"},
    },
}

# Delegation: the lengths of the domain page.
RELATIONSHIP_DEFAULT_YEARS = 2
RELATIONSHIP_CAP_YEARS = 5
ACCESS_REQUEST_LAPSE_DAYS = 60
INVITATION_LAPSE_DAYS = 14
# How many invitations the managers of one business can send in 24 hours.
INVITATIONS_PER_DAY = 100
RELATIONSHIP_REQUEST_LAPSE_MONTHS = 12
SUCCESSION_WAITING_DAYS = 14
SUCCESSION_TAKE_OVER_DAYS = 30
RECOVERY_REQUEST_LAPSE_DAYS = 90
# For how long a person can stop the recovery of the own account, and when it lapses. No session
# lasts as long as the former: whoever is still signed in has to sign in meanwhile, which stops it.
ACCOUNT_RECOVERY_WAITING_HOURS = 72
ACCOUNT_RECOVERY_LAPSE_DAYS = 14
LOOKUP_MINUTES = 60

# How much one asker may ask for, whatever the number asked: a person in a day and waiting at one
# time, a firm in a day (two full files), a client in a day; a person for the recovery of one
# business in a day.
ACCESS_REQUESTS_A_DAY = 20
ACCESS_REQUESTS_WAITING = 20
RELATIONSHIP_REQUESTS_A_DAY = 10_000
RELATIONSHIP_OFFERS_A_DAY = 50
REQUEST_FILES_A_DAY = 50
RECOVERY_REQUESTS_A_DAY = 3
# How many refused posts of one person history keeps in a business in a day.
REFUSED_POSTS_A_DAY = 100
