"""The addresses of the three applications."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from redundancy.alarms import views as alarms
from redundancy.faultlab import views as fault_lab
from redundancy.history.views import events as history
from redundancy.history.views import incidents, timeline, trail
from redundancy.imports import views as imports
from redundancy.monitor import views as monitor
from redundancy.pages import group_live, group_logins, groups
from redundancy.parameters.views import enterprise, pair, parameters
from redundancy.parameters.views import lists as parameter_lists
from redundancy.planned.views import preflight
from redundancy.planned.views import restarts as planned
from redundancy.traces.views import collections
from redundancy.traces.views import trace as traces
from redundancy.views import control_center, home, presence_sessions, servers, user_history, users


class AdministrationConverter(StringConverter):
    """The application in whose chrome a page that two of them have is shown."""

    regex = "ccmadmin|cupadmin"


register_converter(AdministrationConverter, "administration")

urlpatterns = [
    path("", home.home, name="home"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("about/", home.about, name="about"),
    path("go/", home.go, name="go"),
    path("load-sample-cluster/", home.load_sample, name="load_sample"),
    path("ccmadmin/servers/", servers.server_list, name="server_list"),
    path("ccmadmin/servers/add/", servers.server_add, name="server_add"),
    path("ccmadmin/servers/delete/", servers.server_delete_selected, name="server_delete_selected"),
    path("ccmadmin/servers/<int:pk>/", servers.server_edit, name="server_edit"),
    path("ccmadmin/servers/<int:pk>/delete/", servers.server_delete, name="server_delete"),
    path("ccmadmin/presence-redundancy-groups/", groups.group_list, name="group_list"),
    path("ccmadmin/presence-redundancy-groups/add/", groups.group_add, name="group_add"),
    path(
        "ccmadmin/presence-redundancy-groups/delete/",
        groups.group_delete_selected,
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
        "ccmadmin/presence-redundancy-groups/<int:pk>/<int:node>/<slug:action>/",
        group_live.group_action,
        name="group_action",
    ),
    path(
        "ccmadmin/enterprise-parameters/",
        enterprise.enterprise_parameters,
        name="enterprise_parameters",
    ),
    path("ccmadmin/presence-sessions/", presence_sessions.session_list, name="session_list"),
    path("ccmadmin/presence-sessions/sign/", presence_sessions.session_sign, name="session_sign"),
    path("ccmadmin/presence-users/history/", user_history.user_history, name="user_history"),
    path("ccmadmin/presence-users/", users.user_list, name="user_list"),
    path("ccmadmin/presence-users/assign/", users.user_assign, name="user_assign"),
    path("ccmadmin/bulk/import-users/", imports.user_import, name="user_import"),
    path("ccmadmin/bulk/export-users/", imports.user_export, name="user_export"),
    path("ccmadmin/bulk/export-users/users.csv", imports.user_export_file, name="user_export_file"),
    path("ccmadmin/bulk/jobs/", imports.import_jobs, name="import_jobs"),
    path("ccmadmin/bulk/jobs/<int:pk>/", imports.import_job, name="import_job"),
    path("ccmadmin/bulk/jobs/<int:pk>/errors.csv", imports.import_problems, name="import_problems"),
    path("ccmadmin/bulk/jobs/<int:pk>/<slug:act>/", imports.import_act, name="import_act"),
    path("ccmadmin/presence-users/<slug:how>/", users.user_spread, name="user_spread"),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/preflight/",
        preflight.preflight_page,
        name="preflight",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/must-match/",
        pair.must_match,
        name="must_match",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/must-match/align/",
        pair.align_pair,
        name="align",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/login-profile/",
        pair.login_profile,
        name="login_profile",
    ),
    path(
        "<administration:application>/service-parameters/",
        parameters.service_parameters,
        name="service_parameters",
    ),
    path(
        "<administration:application>/service-parameters/help/",
        parameter_lists.parameter_help,
        name="service_parameter_help",
    ),
    path(
        "<administration:application>/service-parameters/all-servers/",
        parameter_lists.parameters_all,
        name="parameters_all",
    ),
    path(
        "<administration:application>/service-parameters/modified/",
        parameter_lists.parameters_modified,
        name="parameters_modified",
    ),
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
    path("ccmservice/planned-restarts/", planned.planned_list, name="planned_list"),
    path("ccmservice/planned-restarts/<int:pk>/", planned.planned_restart, name="planned_restart"),
    path(
        "ccmservice/planned-restarts/<int:pk>/<slug:step>/",
        planned.planned_step,
        name="planned_step",
    ),
    path("ccmservice/fault-lab/", fault_lab.fault_lab, name="fault_lab"),
    path("ccmservice/fault-lab/lift/", fault_lab.fault_lift, name="fault_lift"),
    path("ccmservice/fault-lab/in-force/", fault_lab.banner, name="fault_banner"),
    path("cupadmin/ha-event-history/", history.event_history, name="event_history"),
    path("cupadmin/ha-event-history/<int:pk>/", history.event, name="event"),
    path("cupadmin/ha-event-history/timeline/<int:pk>/", timeline.group_timeline, name="timeline"),
    path("cupadmin/incidents/", incidents.incident_list, name="incident_list"),
    path("cupadmin/incidents/<int:pk>/", incidents.incident, name="incident"),
    path("cupadmin/audit-trail/", trail.audit_trail, name="audit_trail"),
    path("cupadmin/beat-monitor/", monitor.beat_monitor, name="beat_monitor"),
    path("healthz", monitor.healthz, name="healthz"),
    path("metrics", monitor.metrics, name="metrics"),
    path("ccmservice/srm-trace/", traces.srm_trace, name="srm_trace"),
    path(
        "ccmservice/srm-trace/<int:pk>/download/",
        traces.srm_trace_download,
        name="srm_trace_download",
    ),
    path("ccmservice/srm-trace/<int:pk>/level/", traces.srm_trace_level, name="srm_trace_level"),
    path("ccmservice/alarms/", alarms.alarm_list, name="alarm_list"),
    path("ccmservice/alarms/acknowledge/", alarms.alarm_acknowledge, name="alarm_acknowledge"),
    path("ccmservice/alarms/banner/", alarms.alarm_banner, name="alarm_banner"),
    path("ccmservice/log-collection/", collections.log_collection, name="log_collection"),
    path(
        "ccmservice/log-collection/<int:pk>/",
        collections.log_collection_download,
        name="log_collection_download",
    ),
]
