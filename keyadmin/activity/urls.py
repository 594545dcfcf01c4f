from django.urls import path

from keyadmin.activity import views

urlpatterns = [path("activity/", views.activity, name="activity")]
