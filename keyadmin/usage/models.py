from django.db import models


class AccessRecord(models.Model):
    """What became of one request. Ids and labels are copies: a record outlives what it is about.

    `outcome` is the code that the outside was told, or for a form what was wrong; `reason` is the exact one, where
    the outside must not know it. The ids say whom the request was about, not that they have sent it.
    """

    time = models.DateTimeField(db_index=True)
    method = models.CharField(max_length=20)
    path = models.CharField(max_length=500)  # never with its query
    outcome = models.CharField(max_length=40)
    reason = models.CharField(max_length=40)
    missing_permission = models.CharField(max_length=120)
    organization_id = models.BigIntegerField(null=True)
    key_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    who = models.CharField(max_length=300)
    address = models.CharField(max_length=45)
    user_agent = models.CharField(max_length=300)
    request_id = models.CharField(max_length=64)
