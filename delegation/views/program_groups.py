"""Program-account groups: the list, one of them, and every change with its effect shown first."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from businesses.models import ProgramAccount, ProgramGroup
from delegation.access import Access
from delegation.entry import enter
from delegation.forms.groups import ChooseForm, GroupFilterForm, GroupNameForm, ProgramFilterForm
from delegation.groups import (
    MOST,
    given,
    people_over,
    program_groups,
    programs_named,
    programs_of,
    roles_over,
)
from delegation.permissions import can_list_groups, can_manage_groups, can_reduce_groups
from delegation.services.locks import lock_group
from delegation.services.program_groups import (
    add_programs_to_group,
    archive_program_group,
    create_program_group,
    is_inside,
    remove_program_from_group,
    rename_program_group,
)
from delegation.terms import program_label
from delegation.views.group_preview import (
    FormPage,
    Place,
    Proposal,
    account,
    by,
    choice,
    group_page,
    settle_at_once,
    settle_form,
)
from pages.formats import whole
from pages.once import once
from pages.paging import page_by_key
from pages.rules import rule

PART = "program_group_list"
FOUND = 50
"""How many program accounts a search offers."""


@rule(get=can_list_groups)
def program_group_list(request: HttpRequest, bn9: str) -> HttpResponse:
    """The program-account groups in use, or those that are archived."""
    access = enter(request, bn9)
    search = GroupFilterForm(request.GET if "name" in request.GET else None)
    named = search.cleaned_data["name"] if search.is_valid() else ""
    archived = "archived" in request.GET
    page = page_by_key(
        program_groups(access, archived=archived, named=named),
        key=("name", "id"),
        after=request.GET.get("after", ""),
        is_ascending=True,
    )
    context = {
        "page": page,
        "search": search,
        "named": named,
        "archived": archived,
        "may_give": can_manage_groups(access).allowed,
    }
    template, status = "delegation/program_group_list.html", 422 if search.errors else 200
    return group_page(request, template, access, _place(access), context, status)


@rule(get=can_list_groups)
def program_group_detail(request: HttpRequest, bn9: str, pk: int) -> HttpResponse:
    """One program-account group: what is in it, and which employee groups hold a role over it."""
    access, group = _enter(request, bn9, pk)
    search = ProgramFilterForm(request.GET if "program" in request.GET else None)
    named = search.cleaned_data["program"] if search.is_valid() else ""
    found, token = programs_of(group, access.at, named), request.GET.get("after", "")
    page = page_by_key(found, key=("id",), after=token, size=MOST, is_ascending=True)
    over, is_live = roles_over(group, access.at), group.archived_at is None
    context = {
        "group": group,
        "page": page,
        "programs": [(row.pk, program_label(row.program), row.starts_at) for row in page.rows],
        "count": programs_of(group, access.at).count(),
        "search": search,
        "named": named,
        "given": given(over[:MOST]),
        "roles": over.count(),
        "is_inside": is_inside(access, group),
        "may_give": is_live and can_manage_groups(access).allowed,
        "may_take": is_live and can_reduce_groups(access).allowed,
    }
    template, status = "delegation/program_group_detail.html", 422 if search.errors else 200
    return group_page(request, template, access, _place(access), context, status)


@rule(get=can_manage_groups, post=can_manage_groups)
@once
def program_group_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Make a program-account group."""
    access = enter(request, bn9)
    form = GroupNameForm(request.POST if request.method == "POST" else None)
    page = FormPage(
        title=_("Create a program-account group"),
        cancel_url=reverse(PART, kwargs={"bn9": bn9}),
        lead=_("A role over the group reaches every program account in it."),
    )

    def propose(form: GroupNameForm) -> Proposal:
        name = form.cleaned_data["name"]
        about = {**account(access), "group": name}
        said = _("Acting for %(business)s, %(bn)s, you create the program-account group %(group)s.")
        done = _("The program-account group %(group)s is created. Now add program accounts.")
        return Proposal(
            title=page.title,
            sentence=said % about,
            button=_("Create the group"),
            success=done % about,
            act=lambda: create_program_group(name=name, **by(access)),
            concerned=tuple,
            then=_url,
            cancel_url=page.cancel_url,
        )

    return settle_form(request, access, _place(access), form, page, propose)


@rule(get=can_manage_groups, post=can_manage_groups)
@once
def program_group_rename(request: HttpRequest, bn9: str, pk: int) -> HttpResponse:
    """Give a program-account group another name."""
    access, group = _enter(request, bn9, pk)
    form = GroupNameForm(
        request.POST if request.method == "POST" else None, initial={"name": group.name}
    )
    title = _("Rename the group %(group)s") % {"group": group.name}
    page = FormPage(title=title, cancel_url=_url(group))

    def propose(form: GroupNameForm) -> Proposal:
        name = form.cleaned_data["name"]
        about = {**account(access), "group": group.name, "name": name}
        said = _("Acting for %(business)s, %(bn)s, you rename the group %(group)s to %(name)s.")
        return Proposal(
            title=title,
            sentence=said % about,
            button=_("Rename the group"),
            success=_("The group is now called %(name)s.") % about,
            act=lambda: rename_program_group(group=group, name=name, **by(access)),
            concerned=_held(group, access),
            then=_back_to(group),
            cancel_url=page.cancel_url,
        )

    return settle_form(request, access, _place(access, group), form, page, propose)


@rule(get=can_manage_groups, post=can_manage_groups)
@once
def program_group_add(request: HttpRequest, bn9: str, pk: int) -> HttpResponse:
    """Put program accounts into a group: find them and tick them, several at once."""
    access, group = _enter(request, bn9, pk)
    rows, are_more = _programs(request, access, group)
    form = _choice(request, rows)
    title = _("Add program accounts to the group %(group)s") % {"group": group.name}
    page = FormPage(
        title=title,
        cancel_url=_url(group),
        template="delegation/group_choose.html",
        lead=_("Whoever has a role over the group has it there too, at once."),
        more={"are_more": are_more, "most": FOUND, "nobody": _("No program account is left.")},
    )

    def propose(form: ChooseForm) -> Proposal:
        programs = [rows[key] for key in form.cleaned_data["chosen"]]
        names = ", ".join(program_label(program) for program in programs)
        about = {**account(access), "group": group.name, "programs": names}
        said = _("Acting for %(business)s, %(bn)s, you add to the group %(group)s: %(programs)s.")
        done = ngettext(
            "%(count)s program account is now in the group %(group)s.",
            "%(count)s program accounts are now in the group %(group)s.",
            len(programs),
        )
        return Proposal(
            title=title,
            sentence=said % about,
            button=_("Add to the group"),
            success=done % {**about, "count": whole(len(programs))},
            act=lambda: add_programs_to_group(group=group, programs=programs, **by(access)),
            concerned=_held(group, access),
            then=_back_to(group),
            cancel_url=page.cancel_url,
        )

    return settle_form(request, access, _place(access, group), form, page, propose)


def _programs(
    request: HttpRequest, access: Access, group: ProgramGroup
) -> tuple[dict[str, ProgramAccount], bool]:
    """The program accounts ticked before and those found, by extension; whether more are."""
    search = ProgramFilterForm({"program": request.POST.get("name", "")})
    named = search.cleaned_data["program"] if search.is_valid() else ""
    found = list(programs_named(access, group, named)[: FOUND + 1])
    ticked = request.POST.getlist("chosen")[:100]
    every = {one.extension: one for one in programs_named(access, group, "")} if ticked else {}
    kept = {text: every[text] for text in ticked if text in every}
    return {**kept, **{one.extension: one for one in found[:FOUND]}}, len(found) > FOUND


def _choice(request: HttpRequest, rows: dict[str, ProgramAccount]) -> ChooseForm:
    return choice(
        request,
        [(key, program_label(program)) for key, program in rows.items()],
        search_label=_("Name or number"),
        label=_("Program accounts to add"),
        nothing=_("Choose at least one program account."),
    )


@rule(get=can_reduce_groups, post=can_reduce_groups)
@once
def program_group_remove(request: HttpRequest, bn9: str, pk: int, member: int) -> HttpResponse:
    """Say who loses what, and once that is confirmed, take a program account out of a group."""
    access, group = _enter(request, bn9, pk)
    row = get_object_or_404(group.members.select_related("program", "group__business"), pk=member)
    if request.method != "POST" and row.ends_at is not None:
        return redirect(_url(group))
    about = {**account(access), "group": group.name, "program": program_label(row.program)}
    said = _("Acting for %(business)s, %(bn)s, you take %(program)s out of the group %(group)s.")
    proposal = Proposal(
        title=_("Take %(program)s out of the group %(group)s") % about,
        sentence=said % about,
        button=_("Take out of the group"),
        success=_("%(program)s is no longer in the group %(group)s.") % about,
        act=lambda: remove_program_from_group(member=row, **by(access)),
        concerned=_held(group, access),
        then=_back_to(group),
        cancel_url=_url(group),
        is_taking=True,
    )
    return settle_at_once(request, access, _place(access, group), proposal)


@rule(get=can_reduce_groups, post=can_reduce_groups)
@once
def program_group_archive(request: HttpRequest, bn9: str, pk: int) -> HttpResponse:
    """Say what ends with a group, and once that is confirmed, archive it."""
    access, group = _enter(request, bn9, pk)
    if request.method != "POST" and group.archived_at is not None:
        return redirect(_url(group))
    about = {**account(access), "group": group.name}
    said = _(
        "Acting for %(business)s, %(bn)s, you archive the program-account group %(group)s. Every "
        "role over it ends at once. It cannot be brought back."
    )
    proposal = Proposal(
        title=_("Archive the group %(group)s") % about,
        sentence=said % about,
        button=_("Archive the group"),
        success=_("The group %(group)s is archived. Nothing comes through it any more.") % about,
        act=lambda: archive_program_group(group=group, **by(access)),
        concerned=_held(group, access),
        then=_back_to(group),
        cancel_url=_url(group),
        is_taking=True,
    )
    return settle_at_once(request, access, _place(access, group), proposal)


def _enter(request: HttpRequest, bn9: str, pk: int) -> tuple[Access, ProgramGroup]:
    """The access of the reader, and a group of the business."""
    access = enter(request, bn9)
    ours = ProgramGroup.objects.filter(business=access.acting_for).select_related("business")
    return access, get_object_or_404(ours, pk=pk)


def _held(group: ProgramGroup, access: Access) -> Callable[[], set[int]]:
    """What gives the people who hold a role over a group, and holds the group meanwhile."""
    return lambda: people_over(lock_group(group), access.at)


def _url(group: ProgramGroup) -> str:
    return reverse("program_group_detail", kwargs={"bn9": group.business.bn9, "pk": group.pk})


def _back_to(group: ProgramGroup) -> Callable[[object], str]:
    return lambda _answer: _url(group)


def _place(access: Access, group: ProgramGroup | None = None) -> Place:
    crumbs = [(_("Program-account groups"), reverse(PART, kwargs={"bn9": access.acting_for.bn9}))]
    if group:
        crumbs.append((group.name, _url(group)))
    return Place(PART, tuple(crumbs))
