"""Requests by file: check a file, read what was found, send it in parts, take lists away."""

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from audit.services import Refusal
from businesses.bn import show_bn9
from delegation.access import Access
from delegation.clients import sent_requests
from delegation.entry import enter_firm
from delegation.forms.batches import RequestBatchForm
from delegation.models import RequestBatch, RequestBatchRow
from delegation.navigation import client_nav, section_nav
from delegation.permissions import can_list_relationship_requests, can_request_relationship
from delegation.relationships import lines_of
from delegation.request_file import (
    COLUMNS,
    GUIDE,
    MOST_BYTES,
    MOST_ROWS,
    READ,
    REPORT,
    REQUIRED,
    check,
)
from delegation.requests import request_state
from delegation.services.batches import create_request_batch, send_request_batch
from delegation.terms import PROVIDER_LABELS, rules_in_words
from delegation.views.employees import status_of
from delegation.views.limits import with_retry
from pages.csv_file import Table, Unreadable, Value, read_csv, stream_csv
from pages.formats import is_french
from pages.once import once
from pages.paging import page_by_key
from pages.rules import rule

State = RequestBatchRow.State
SHOWN = 10
"""How many earlier files the page of files lists."""


@rule(get=can_request_relationship, post=can_request_relationship)
@once
def request_batch_create(request: HttpRequest, bn9: str) -> HttpResponse:
    """Check a file of requests. It is kept row by row; nothing is sent yet."""
    access = enter_firm(request, bn9)
    form = RequestBatchForm(
        *((request.POST, request.FILES) if request.method == "POST" else ()),
        most_bytes=MOST_BYTES,
    )
    status = 422 if form.is_bound else 200
    if form.is_valid():
        answer = _kept(access, form)
        if isinstance(answer, RequestBatch):
            return redirect("request_batch_detail", bn9=bn9, pk=answer.pk)
        form.add_error("file", str(answer.message))
        status = status_of(answer)
    place = int(is_french())
    context = {
        "business": access.acting_for,
        "form": form,
        "columns": [(names[place], GUIDE[column]) for column, names in COLUMNS.items()],
        "batches": _batches(access).order_by("-uploaded_at")[:SHOWN],
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, "request_batch_create"),
    }
    page = render(request, "delegation/request_batch_create.html", context, status=status)
    return with_retry(page, access.at)


@rule(get=can_request_relationship)
def request_batch_template(request: HttpRequest, bn9: str) -> StreamingHttpResponse:
    """An empty file with the columns, to fill in."""
    enter_firm(request, bn9)
    return stream_csv(_("relationship-requests"), _header(), [])


@rule(get=can_list_relationship_requests)
def request_batch_detail(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """What was found in a file, what has been sent of it, and how to go on."""
    access = enter_firm(request, bn9)
    return _batch_page(request, access, get_object_or_404(_batches(access), pk=pk))


@rule(post=can_request_relationship)
@once
def request_batch_send(request: HttpRequest, bn9: str, pk: UUID) -> HttpResponse:
    """Send the next part of a file."""
    access = enter_firm(request, bn9)
    batch = get_object_or_404(_batches(access), pk=pk)
    answer = send_request_batch(
        actor=access.person, acting_for=access.acting_for, batch=batch, at=access.at
    )
    if isinstance(answer, Refusal):
        page = _batch_page(
            request, access, batch, problem=str(answer.message), status=status_of(answer)
        )
        return with_retry(page, access.at)
    address = reverse("request_batch_detail", kwargs={"bn9": bn9, "pk": pk})
    if batch.rows.filter(state=State.READY).exists():
        return redirect(f"{address}?going=on")
    sent = batch.rows.filter(state=State.SENT).count()
    said = ngettext(
        "%(number)s request of the file has been sent.",
        "%(number)s requests of the file have been sent.",
        sent,
    )
    messages.success(request, said % {"number": sent})
    return redirect(address)


@rule(get=can_list_relationship_requests)
def request_batch_errors(request: HttpRequest, bn9: str, pk: UUID) -> StreamingHttpResponse:
    """The rows that were not sent and why, to correct and send back."""
    access = enter_firm(request, bn9)
    batch = get_object_or_404(_batches(access), pk=pk)
    language = get_language() or ""
    rows = _not_sent(batch).order_by("number").iterator()

    def lines() -> Iterator[list[Value]]:
        for row in rows:
            said = " ".join(row.problems.get(language, []))
            yield [row.number, said, *(row.cells.get(column, "") for column in COLUMNS)]

    report = [names[int(is_french())] for names in REPORT.values()]
    return stream_csv(_("rows-to-correct"), [*report, *_header()], lines())


@rule(get=can_list_relationship_requests)
def relationship_request_export(request: HttpRequest, bn9: str) -> StreamingHttpResponse:
    """The requests that the firm sent, as the list of the page shows them, to take away."""
    access = enter_firm(request, bn9)
    header = [
        _("Business number"),
        _("Asked for"),
        _("Level"),
        _("The most that the firm can do"),
        _("Visibility Rules"),
        _("Last day"),
        _("Comment"),
        _("Sent"),
        _("State"),
    ]
    return stream_csv(_("sent-requests"), header, _sent_lines(access))


def _sent_lines(access: Access) -> Iterator[list[Value]]:
    """One line for each request sent, the newest first."""
    every = sent_requests(access).order_by("-starts_at", "-id")
    for waiting in every.iterator(chunk_size=500):
        rules = rules_in_words(waiting, PROVIDER_LABELS)
        yield [
            show_bn9(waiting.client_bn9),
            ", ".join(line.label for line in lines_of(waiting, access)),
            waiting.get_level_display(),
            waiting.get_ceiling_display(),
            "; ".join(f"{label}: {rule}" for label, rule in rules),
            waiting.wished_last_day,
            waiting.comment,
            waiting.starts_at,
            request_state(waiting, access.at).label,
        ]


def _kept(access: Access, form: RequestBatchForm) -> RequestBatch | Refusal:
    """The file with what was found in it, or why it is not kept."""
    file = form.cleaned_data["file"]
    try:
        table: Table = read_csv(file.read(), columns=READ, required=REQUIRED, most_rows=MOST_ROWS)
    except Unreadable as wrong:
        return Refusal("unreadable", str(wrong))
    return create_request_batch(
        actor=access.person,
        acting_for=access.acting_for,
        name=file.name,
        is_legacy=table.is_legacy,
        rows=check(table.lines, access.acting_for, access.at),
        at=access.at,
    )


def _batches(access: Access) -> QuerySet[RequestBatch]:
    """The files of the firm acted for."""
    return RequestBatch.objects.filter(provider=access.acting_for).select_related("uploaded_by")


def _not_sent(batch: RequestBatch) -> QuerySet[RequestBatchRow]:
    return batch.rows.filter(state__in=[State.WRONG, State.WAITING, State.REFUSED])


def _header() -> list[str]:
    return [names[int(is_french())] for names in COLUMNS.values()]


def _batch_page(
    request: HttpRequest,
    access: Access,
    batch: RequestBatch,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    found = batch.rows.values_list("state").annotate(number=Count("pk"))
    counts = {state: 0 for state in State} | {State(state): number for state, number in found}
    is_every = request.GET.get("rows") == "all"
    rows = page_by_key(
        batch.rows.all() if is_every else _not_sent(batch),
        key=("number",),
        after=request.GET.get("after", ""),
        is_ascending=True,
    )
    ready, total = counts[State.READY], sum(counts.values())
    language = get_language() or ""
    context = {
        "business": access.acting_for,
        "batch": batch,
        "counts": [(state.label, number) for state, number in counts.items() if number],
        "total": total,
        "ready": ready,
        "done": total - ready,
        "not_sent": counts[State.WRONG] + counts[State.WAITING] + counts[State.REFUSED],
        "is_going": request.GET.get("going") == "on" and ready and batch.confirmed_at,
        "may_send": can_request_relationship(access).allowed,
        "page": rows,
        "is_every": is_every,
        "rows": [
            (row, State(row.state).label, row.problems.get(language, [])) for row in rows.rows
        ],
        "problem": problem,
        "sections": section_nav(access, "client_list"),
        "parts": client_nav(access, "request_batch_create"),
    }
    return render(request, "delegation/request_batch_detail.html", context, status=status)
