"""All settings of the project; values that differ between installations come from the environment (`env.py`)."""

import os
from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF

from keyadmin import env as environment
from keyadmin.database_url import Database
from keyadmin.kernel import hashing

ENV = environment.read(os.environ)
DEBUG = ENV.debug
BASE_DIR = environment.ROOT

# --- secrets: everything is derived from the master key, each for one purpose --------------------------------
SECRET_KEY = ENV.master.derive("django secret key", 48).hex()
BUCKET_KEY = ENV.master.derive("buckets of given secrets")
RATE_PREFIX = ENV.master.derive("names of rate limits", 8).hex()
KEY_HASHER = hashing.build_context(ENV.master.peppers(), scheme=ENV.hash_scheme, rounds=ENV.rounds)

# --- addresses -----------------------------------------------------------------------------------------------
HTTPS = ENV.public_url.startswith("https://")
ALLOWED_HOSTS = environment.allowed_hosts(ENV)
CSRF_TRUSTED_ORIGINS = [ENV.public_url] if ENV.public_url else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-keyadmin" if HTTPS else "keyadmin"
CSRF_COOKIE_NAME = "__Host-keyadmin-csrf" if HTTPS else "keyadmin-csrf"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())  # after it was used last (see web.session)
SESSION_LONGEST_AGE = int(timedelta(days=14).total_seconds())  # after sign-in, however much it is used
CSRF_COOKIE_HTTPONLY = False
CSRF_FAILURE_VIEW = "keyadmin.web.errors.csrf_failure"
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # A redirect to https is the proxy's to make: gateways call this server in plain HTTP behind it and must never
    # be redirected.
    "security.W008",
    # Subdomains and the browsers' preload list concern hosts that are not ours to decide about.
    "security.W005",
    "security.W021",
]
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- the parts -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "keyadmin",
    "keyadmin.web",
    "keyadmin.freshness",
    "keyadmin.activity",
    "keyadmin.usage",
    "keyadmin.instance",
    "accounts",
    "keyadmin.sitekey",
    "keyadmin.keys",
]
MIDDLEWARE = [
    "keyadmin.web.middleware.RequestContextMiddleware",
    "keyadmin.system.middleware.HealthMiddleware",
    "keyadmin.usage.middleware.AccessMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "keyadmin.web.middleware.PageMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "keyadmin.web.middleware.AddressMiddleware",
    "keyadmin.web.middleware.WrongMethodMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "keyadmin.web.guesses.GuessesMiddleware",
    "keyadmin.verify.middleware.ApiKeyMiddleware",
    "accounts.middleware.SeenMiddleware",
    "accounts.middleware.OrganizationMiddleware",
]
# In the session, so that what one person did is not said to the next one at the same browser.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
ROOT_URLCONF = "keyadmin.urls"
WSGI_APPLICATION = "keyadmin.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "keyadmin.web.navigation.frame",
            ],
        },
    }
]
STATIC_URL = "/static/"
# Bootstrap comes by npm (scripts/setup), htmx with django-htmx: nothing of others is kept in the repository.
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor", BASE_DIR / "node_modules" / "bootstrap" / "dist")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "keyadmin.web.assets.Assets"},
}
STATIC_ROOT = ENV.data_dir / "static"  # `manage.py up` collects into it; until then files are served where they lie
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no font or script of ours is for other sites
WHITENOISE_AUTOREFRESH = DEBUG

CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "components/table.html"

# --- databases: administration, and what is written for each request --------------------------------------------


def _sqlite(name: str, *, wait_seconds: float, pragmas: str) -> dict[str, Any]:
    file = ENV.data_dir / f"{name}.sqlite3"
    if not file.exists():
        file.touch(mode=0o600)  # SQLite would let the group and others read it, and its journals like it
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {
            # Deferred transactions fail with "database is locked" as soon as two of them want to write.
            "transaction_mode": "IMMEDIATE",
            "timeout": wait_seconds,
            "init_command": f"PRAGMA journal_mode=WAL; {pragmas}",
        },
        # A file: threads and processes share it as they do the real one.
        "TEST": {"NAME": ENV.data_dir / f"test-{name}.sqlite3"},
    }


def _postgresql(database: Database) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.name,
        "USER": database.user,
        "PASSWORD": database.password,
        "HOST": database.host,
        "PORT": database.port,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": "5", **database.options},
    }


DATABASES: dict[str, dict[str, Any]] = {}
if ENV.database is None:
    # Each thread has a cache of its own, of pages that the system holds too: half a mebibyte, not two.
    pragmas = "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA cache_size=-512;"
    DATABASES["default"] = _sqlite("keyadmin", wait_seconds=20, pragmas=pragmas)
else:
    DATABASES["default"] = _postgresql(ENV.database)
if ENV.usage_database is not None:
    DATABASES["usage"] = _postgresql(ENV.usage_database)
elif ENV.database is None:
    # A writer of its own, so that a flood of requests holds up no change. The worker alone writes there, and removes
    # what it has written from the spool: then it must be on the disk.
    DATABASES["usage"] = _sqlite("usage", wait_seconds=5, pragmas="PRAGMA synchronous=FULL;")
DATABASE_ROUTERS = ["keyadmin.usage.router.UsageRouter"] if "usage" in DATABASES else []
# For the web server alone (`wsgi.py`), whose threads come and go: a connection for each would use up the server's.
# Waiting too long is a 503. A command has one connection, and should say why it can't have it.
DATABASE_POOL = {"min_size": 1, "max_size": 20, "timeout": 3}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["accounts.hashers.Argon2"]
AUTH_PASSWORD_VALIDATORS = [  # ASVS 5.0 6.2: length over composition, no well-known passwords
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=2).total_seconds())
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/sign-in/"
ACCOUNT_ADAPTER = "accounts.signin.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.signin.SignInForm",
    "reset_password": "accounts.forms.signin.ResetForm",
    "reset_password_from_key": "accounts.forms.signin.NewPasswordForm",
    "change_password": "accounts.forms.signin.ChangePasswordForm",
    "reauthenticate": "accounts.forms.signin.ConfirmForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "accounts.signin.display_name"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = int(timedelta(minutes=10).total_seconds())
ACCOUNT_RATE_LIMITS = {  # see web.guesses; allauth counts them, and cuts IPv6 addresses to 64 bits
    "login_failed": None,
    "guess": "5/5m/key",
    "guess_address": "30/5m/ip",
    "guess_account": "30/h/key",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody gets mail because a stranger typed their address
MFA_ADAPTER = "accounts.signin.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.signin.CodeForm",
    "reauthenticate": "accounts.forms.signin.ConfirmByCodeForm",
    "activate_totp": "accounts.forms.signin.ActivateForm",
    "login_webauthn": "accounts.forms.signin.SignInByPasskeyForm",
    "authenticate_webauthn": "accounts.forms.signin.PasskeyCodeForm",
    "reauthenticate_webauthn": "accounts.forms.signin.ConfirmByPasskeyForm",
    "add_webauthn": "accounts.forms.signin.PasskeyForm",
    "edit_webauthn": "accounts.forms.signin.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Keyadmin"
MFA_TOTP_TOLERANCE = 1  # RFC 6238 §5.2: one step for slow clocks and slow fingers; no step is taken twice

# Single sign-on finds people by an address that the provider has verified; it makes nobody and connects nothing.
SOCIALACCOUNT_ADAPTER = "accounts.sso.Adapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form that leads to another site is against `form-action 'self'`
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if ENV.oidc is not None:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "sso",
                "name": ENV.oidc.name,
                "client_id": ENV.oidc.client_id,
                "secret": ENV.oidc.client_secret,
                "settings": {"server_url": ENV.oidc.issuer, "oauth_pkce_enabled": True},
            }
        ]
    }

# --- cache: counts failed sign-ins, in the database, so that all processes and hosts count together ----------
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "instance_cache",
        # Large, so that nobody pushes others' counters out.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- mail: to the server that EMAIL_URL names; else kept in the data directory, for /instance/mail/ ----------
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.mail_from
MAIL_DIR = ENV.data_dir / "mail"
if ENV.mail is None:
    EMAIL_BACKEND = "keyadmin.instance.mail.KeepingBackend"
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = ENV.mail.host, ENV.mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENV.mail.user, ENV.mail.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = ENV.mail.scheme == "smtps", ENV.mail.scheme == "smtp+tls"
EMAIL_TIMEOUT = 10

# --- rate limits ---------------------------------------------------------------------------------------------
BULK_FACTOR = 10  # how many times its limit a key with the flair [bulk] may use

# --- request bounds ------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_HANDLERS: list[str] = []  # no page takes files

# --- language and time ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# --- logs: to standard error; no path, no query string, no secret (see web.logs) ---------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"quiet": {"()": "keyadmin.web.logs.NoSecrets"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["quiet"]},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO"},
        # Refusals are expected answers, not news; failures are logged by the error handlers with a request id.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        "apscheduler": {"level": "ERROR"},  # it warns whenever a turn takes longer than the time to the next
        "fido2": {"level": "WARNING"},
    },
}
