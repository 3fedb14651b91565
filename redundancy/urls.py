"""The addresses of the three applications: the core's own, and those of the rooms."""

from django.urls import include, path

from redundancy.pages import enable, group_live, group_logins, groups, login_services, overview
from redundancy.views import control_center, home, presence_sessions, servers, user_history, users

ROOMS = (
    "alarms",
    "cluster",
    "deployment",
    "faultlab",
    "history",
    "imports",
    "monitor",
    "parameters",
    "planned",
    "soap",
    "traces",
    "twin",
    "watch",
)

urlpatterns = [
    path("", overview.home, name="home"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("about/", home.about, name="about"),
    path("go/", home.go, name="go"),
    path("load-sample-cluster/", home.load_sample, name="load_sample"),
    path("ccmadmin/servers/", servers.server_list, name="server_list"),
    path("ccmadmin/servers/add/", servers.server_add, name="server_add"),
    path("ccmadmin/servers/delete/", servers.server_delete, name="server_delete_selected"),
    path("ccmadmin/servers/<int:pk>/", servers.server_edit, name="server_edit"),
    path("ccmadmin/servers/<int:pk>/delete/", servers.server_delete, name="server_delete"),
    path(
        "ccmadmin/servers/<int:pk>/start-login-services/",
        login_services.start,
        name="start_login_services",
    ),
    path("ccmadmin/presence-redundancy-groups/", groups.group_list, name="group_list"),
    path("ccmadmin/presence-redundancy-groups/add/", groups.group_add, name="group_add"),
    path(
        "ccmadmin/presence-redundancy-groups/delete/",
        groups.group_delete,
        name="group_delete_selected",
    ),
    path("ccmadmin/presence-redundancy-groups/<int:pk>/", groups.group_edit, name="group_edit"),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/delete/",
        groups.group_delete,
        name="group_delete",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/logins/",
        group_logins.group_logins,
        name="group_logins",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/enable/",
        enable.enable_high_availability,
        name="group_enable",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/<int:node>/<slug:action>/",
        group_live.group_action,
        name="group_action",
    ),
    path("ccmadmin/presence-sessions/", presence_sessions.session_list, name="session_list"),
    path("ccmadmin/presence-sessions/sign/", presence_sessions.session_sign, name="session_sign"),
    path("ccmadmin/presence-users/history/", user_history.user_history, name="user_history"),
    path("ccmadmin/presence-users/", users.user_list, name="user_list"),
    path("ccmadmin/presence-users/assign/", users.user_assign, name="user_assign"),
    path("ccmadmin/presence-users/<slug:how>/", users.user_spread, name="user_spread"),
    path(
        "ccmservice/control-center/<str:kind>/",
        control_center.control_center,
        name="control_center",
    ),
    path(
        "ccmservice/control-center/<str:kind>/<int:pk>/service/",
        control_center.service_act,
        name="control_center_service",
    ),
    path(
        "ccmservice/control-center/<str:kind>/<int:pk>/node/",
        control_center.node_act,
        name="control_center_node",
    ),
    *(path("", include(f"redundancy.{room}.urls")) for room in ROOMS),
]
