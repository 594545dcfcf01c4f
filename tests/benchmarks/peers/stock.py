"""Make the peers' database: one user with a token each, and as many API keys as are asked for; prints their secrets."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.contrib.auth import get_user_model
from django.core.management import call_command
from knox.models import AuthToken
from rest_framework.authtoken.models import Token
from rest_framework_api_key.models import APIKey

call_command("migrate", verbosity=0)
user = get_user_model().objects.create_user("bench")
keys = [APIKey.objects.create_key(name=f"Key {number}")[1] for number in range(int(sys.argv[1]))]
knox = [AuthToken.objects.create(user, expiry=None)[1] for _ in range(1)]
print(json.dumps({"api-key": keys, "knox": knox, "token": [Token.objects.create(user=user).key]}))
