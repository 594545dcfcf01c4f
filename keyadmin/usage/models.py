from django.db import models


class AccessRecord(models.Model):
    """What became of one request. Ids and labels are copies: a record outlives what it is about.

    `outcome` is the code that the outside was told, `allowed` for a request whose key was accepted, or for a form what
    was wrong; `reason` is the exact one, where the outside must not know it. The ids say whom the request was about,
    not that they have sent it. On PostgreSQL the table is partitioned by day (`services.partitions`).
    """

    time = models.DateTimeField()
    method = models.CharField(max_length=20)
    path = models.CharField(max_length=500)  # never with its query
    outcome = models.CharField(max_length=40)
    reason = models.CharField(max_length=40)
    missing_permission = models.CharField(max_length=120)
    organization_id = models.BigIntegerField(null=True)
    key_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    who = models.CharField(max_length=300)
    token_id = models.CharField(max_length=12, default="", db_default="")
    address = models.CharField(max_length=45)
    user_agent = models.CharField(max_length=300)
    request_id = models.CharField(max_length=64)

    class Meta:
        indexes = [  # each in the order in which records are read, so that no page has to sort
            models.Index(fields=["time", "id"], name="access_by_time"),
            models.Index(fields=["organization_id", "time", "id"], name="access_by_organization"),
            models.Index(fields=["key_id", "time", "id"], name="access_by_key"),
        ]


class SpoolPosition(models.Model):
    """How many bytes of a spool file are in the database: written with the records that they held, so none is twice."""

    name = models.CharField(max_length=80, primary_key=True)
    done = models.BigIntegerField()


class Usage(models.Model):
    """How many requests of one outcome there were in a span of time that begins at `start`.

    Key 0 counts all requests of the organisation, with and without a key; organisation 0 is for what is about none.
    """

    key_id = models.BigIntegerField()
    organization_id = models.BigIntegerField()
    start = models.DateTimeField()
    outcome = models.CharField(max_length=40)
    number = models.BigIntegerField()

    class Meta:
        abstract = True


class UsageHour(Usage):
    """Requests by the hour (UTC)."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key_id", "organization_id", "start", "outcome"], name="usagehour_once")
        ]
        indexes = [models.Index(fields=["start"], name="usagehour_by_start")]


class UsageDay(Usage):
    """Requests by the day (UTC)."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key_id", "organization_id", "start", "outcome"], name="usageday_once")
        ]
        indexes = [
            models.Index(fields=["start"], name="usageday_by_start"),
            models.Index(fields=["organization_id", "start"], name="usageday_by_organization"),
        ]


class KeyAddress(models.Model):
    """An address from which a key was used, in an organisation (0: none was meant)."""

    key_id = models.BigIntegerField()
    organization_id = models.BigIntegerField()
    address = models.CharField(max_length=45)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    number = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key_id", "organization_id", "address"], name="keyaddress_once"),
        ]


class LastUse(models.Model):
    """When a key was used last and from where; `noted`: the administration database knows it."""

    key_id = models.BigIntegerField(primary_key=True)
    time = models.DateTimeField()
    address = models.CharField(max_length=45)
    noted = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["key_id"], condition=models.Q(noted=False), name="lastuse_not_noted")]
