from django.urls import path

from keyadmin.instance import views

urlpatterns = [
    path("mail/", views.kept_mail, name="instance_mail"),
    path("mail/<str:name>/", views.kept_letter, name="instance_letter"),
]
