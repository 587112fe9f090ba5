"""Addresses of the groups of a business: of its employees, and of its program accounts."""

from django.urls import include, path

from delegation.views import employee_group_changes, employee_groups, program_groups

one_employee_group = [
    path("", employee_groups.employee_group_detail, name="employee_group_detail"),
    path("rename/", employee_groups.employee_group_rename, name="employee_group_rename"),
    path("archive/", employee_groups.employee_group_archive, name="employee_group_archive"),
    path("members/add/", employee_group_changes.employee_group_add, name="employee_group_add"),
    path(
        "members/<int:member>/remove/",
        employee_group_changes.employee_group_remove,
        name="employee_group_remove",
    ),
    path("roles/new/", employee_group_changes.employee_group_grant, name="employee_group_grant"),
    path(
        "roles/<int:role>/end/",
        employee_group_changes.employee_group_role_end,
        name="employee_group_role_end",
    ),
    path(
        "wide-roles/<int:role>/end/",
        employee_group_changes.employee_group_wide_role_end,
        name="employee_group_wide_role_end",
    ),
]

one_program_group = [
    path("", program_groups.program_group_detail, name="program_group_detail"),
    path("rename/", program_groups.program_group_rename, name="program_group_rename"),
    path("archive/", program_groups.program_group_archive, name="program_group_archive"),
    path("programs/add/", program_groups.program_group_add, name="program_group_add"),
    path(
        "programs/<int:member>/remove/",
        program_groups.program_group_remove,
        name="program_group_remove",
    ),
]

of_employees = [
    path("", employee_groups.employee_group_list, name="employee_group_list"),
    path("new/", employee_groups.employee_group_create, name="employee_group_create"),
]

of_programs = [
    path("", program_groups.program_group_list, name="program_group_list"),
    path("new/", program_groups.program_group_create, name="program_group_create"),
]

urlpatterns = [
    path("businesses/<bn9:bn9>/employees/groups/", include(of_employees)),
    path("businesses/<bn9:bn9>/employees/groups/<uuid:pk>/", include(one_employee_group)),
    path("businesses/<bn9:bn9>/employees/program-groups/", include(of_programs)),
    path("businesses/<bn9:bn9>/employees/program-groups/<int:pk>/", include(one_program_group)),
]
