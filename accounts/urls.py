from allauth.account import views as allauth
from django.urls import path

from accounts.views.home import home
from accounts.views.setup import set_up_page

urlpatterns = [
    path("", home, name="home"),
    path("setup/<str:token>/", set_up_page, name="setup"),
    path("sign-in/", allauth.login, name="account_login"),
    path("sign-out/", allauth.logout, name="account_logout"),
    path("sign-in/inactive/", allauth.account_inactive, name="account_inactive"),
]
