"""The addresses of the whole site."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from redundancy.views import signin
from redundancy.views.guard import for_everybody
from redundancy.views.home import admin_login

handler400 = "redundancy.views.errors.bad_request"
handler403 = "redundancy.views.errors.forbidden"
handler404 = "redundancy.views.errors.not_found"
handler500 = "redundancy.views.errors.server_error"

urlpatterns = [
    path("login/", signin.sign_in, name="login"),
    path("logout/", for_everybody(LogoutView.as_view()), name="logout"),
    path("password/", signin.password_change, name="password_change"),
    path("stay-signed-in/", signin.stay_signed_in, name="stay_signed_in"),
    path("session-seconds/", signin.session_seconds, name="session_seconds"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("admin/login/", admin_login),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password_change")),
    path("admin/", admin.site.urls),
    path("", include("redundancy.urls")),
    path("", include("topology.urls")),
]
