"""The addresses of the whole site."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from redundancy.forms.signin import SignInForm
from redundancy.views.home import admin_login

handler400 = "redundancy.views.errors.bad_request"
handler403 = "redundancy.views.errors.forbidden"
handler404 = "redundancy.views.errors.not_found"
handler500 = "redundancy.views.errors.server_error"

urlpatterns = [
    path(
        "login/",
        LoginView.as_view(authentication_form=SignInForm, redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
    path("", include("redundancy.urls")),
    path("", include("topology.urls")),
]
