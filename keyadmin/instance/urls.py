from django.urls import path

from keyadmin.instance.views import mail, rounds

urlpatterns = [
    path("mail/", mail.kept_mail, name="instance_mail"),
    path("mail/<str:name>/", mail.kept_letter, name="instance_letter"),
    path("rounds/", rounds.rounds, name="instance_rounds"),
    path("rounds/measure/", rounds.measure, name="instance_rounds_measure"),
]
