"""The console in a real browser: what a person sees and does there, with and without a mouse."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.browser.deployment import OPERATORS, SECRET, VARIABLE, Deployment
from tests.emulator.emulator_harness import run, started


def open_console(page: Page, deployment: Deployment) -> None:
    page.goto(deployment.server.address)
    expect(page.get_by_text("and this page follows it")).to_be_visible()


def has_operators(page: Page) -> None:
    items = page.get_by_role("list", name="Operators of gpu").get_by_role("listitem")
    expect(items.locator("code")).to_have_text(OPERATORS)


def ended(page: Page, how: str = "SUCCESS") -> None:
    expect(page.get_by_role("status").filter(has_text="has ended")).to_contain_text(f"has ended: {how}.")


def test_it_says_that_it_is_a_stand_in_and_shows_what_is_deployed(page: Page, deployment: Deployment) -> None:
    open_console(page, deployment)
    expect(page.get_by_role("banner")).to_contain_text("A stand-in on this machine")
    for region, text in (
        ("Orchestrators", "An orchestrator of the test's own"),
        ("Jobs", "execute, register"),
        ("Instance pools", "pool-of-gpu"),
        ("Secrets", "database-uri"),
        ("Secrets", "CLIENT_SECRET_GPU"),
        ("Files", "/Shared/gpu/plugins/hello/fiftyone.yml"),
    ):
        expect(page.get_by_role("region", name=region, exact=True)).to_contain_text(text)


def test_a_run_s_log_shows_as_it_grows_and_what_is_there_stays(
    page: Page, deployment: Deployment, tmp_path: Path
) -> None:
    page.goto(deployment.waiting_run(tmp_path / "pipe"))
    log = page.get_by_role("log", name="Log of task execute")
    expect(log).to_have_text("the secret is [REDACTED]\nbefore\n")
    expect(page.get_by_role("heading", name="Log of task")).to_contain_text("RUNNING")
    first = log.evaluate_handle("log => log.firstChild")
    (tmp_path / "pipe").write_text("")
    expect(log).to_have_text("the secret is [REDACTED]\nbefore\nafter\n")
    expect(page.get_by_role("heading", name="Log of task")).to_contain_text("SUCCESS")
    # A screen reader is told of what is added; had all been written anew, it would read all again.
    assert first.evaluate("node => node.isConnected")


def test_a_refresh_from_the_page_ends_with_the_operators_listed(page: Page, deployment: Deployment) -> None:
    open_console(page, deployment)
    expect(page.get_by_text("none is known yet")).to_be_visible()
    page.get_by_role("button", name="Refresh operators").click()
    has_operators(page)
    ended(page)


def test_a_delegated_operation_runs_from_the_page_and_its_log_is_shown(page: Page, deployment: Deployment) -> None:
    open_console(page, deployment)
    page.get_by_role("button", name="Refresh operators").click()
    page.get_by_role("button", name=f"Run {OPERATORS[1]} on gpu").click()
    expect(page.get_by_role("log", name="Log of task execute")).to_contain_text(f"executed {OPERATORS[1]}")
    ended(page)


def test_one_thing_can_be_started_while_another_still_is_and_the_last_one_is_shown(
    page: Page, deployment: Deployment
) -> None:
    open_console(page, deployment)
    page.get_by_role("button", name="Refresh operators").click()
    ended(page)
    held: list[Route] = []
    page.route("**/refresh", lambda route: held.append(route))
    page.get_by_role("button", name="Refresh operators").click()
    page.get_by_role("button", name=f"Run {OPERATORS[0]} on gpu").click()
    log = page.get_by_role("log", name="Log of task execute")
    expect(log).to_contain_text(f"executed {OPERATORS[0]}")
    with page.expect_response("**/refresh"):
        held[0].continue_()
    expect(page.get_by_role("region", name="Runs").get_by_role("row")).to_have_count(4)
    expect(log).to_contain_text(f"executed {OPERATORS[0]}")


def test_what_cannot_be_started_is_told_in_the_workspace_s_own_words(page: Page, deployment: Deployment) -> None:
    deployment.runner.call("delete", {"job_id": deployment.job_id})
    open_console(page, deployment)
    page.get_by_role("button", name="Refresh operators").click()
    expect(page.get_by_role("status").filter(has_text="was not started")).to_contain_text("does not exist")


def test_a_stopped_workspace_shows_as_such_and_is_back_by_itself(page: Page, deployment: Deployment) -> None:
    open_console(page, deployment)
    home = deployment.server.home
    assert run("stop", "--home", home).returncode == 0
    expect(page.get_by_role("status").filter(has_text="does not answer")).to_be_visible()
    page.get_by_role("button", name="Refresh operators").click()
    expect(page.get_by_role("status").filter(has_text="Refreshing")).to_contain_text("does not answer")
    started(home)
    expect(page.get_by_text("and this page follows it")).to_be_visible()
    page.get_by_role("button", name="Refresh operators").click()
    has_operators(page)


def press_tab_until(page: Page, name: str) -> None:
    """Move on as somebody does who sees where the focus is."""
    button = page.get_by_role("button", name=name)
    expect(button).to_be_visible()
    for _ in range(100):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            outline = button.evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline == "solid", "the focus does not show"
            return
    pytest.fail(f"the keyboard does not get to {name}")


def test_both_actions_work_by_keyboard_alone_and_the_run_has_the_focus_afterwards(
    page: Page, deployment: Deployment
) -> None:
    open_console(page, deployment)
    for name, key in (("Refresh operators", "Enter"), (f"Run {OPERATORS[0]} on gpu", "Space")):
        page.get_by_role("heading", level=1).evaluate("() => document.activeElement.blur()")
        press_tab_until(page, name)
        page.keyboard.press(key)
        expect(page.locator("#run-title")).to_be_focused()
        ended(page)
    expect(page.get_by_role("log", name="Log of task execute")).to_contain_text(f"executed {OPERATORS[0]}")


def test_the_focus_stays_where_it_is_while_what_is_around_it_is_drawn_anew(page: Page, deployment: Deployment) -> None:
    first = deployment.runner.start(deployment.job_id, job_parameters={"command": "fiftyone --version"})
    open_console(page, deployment)
    link = page.get_by_role("region", name="Runs", exact=True).get_by_role("link", name=str(first))
    link.focus()
    second = deployment.runner.start(deployment.job_id, job_parameters={"command": "fiftyone --version"})
    expect(page.get_by_role("region", name="Runs", exact=True)).to_contain_text(str(second))
    expect(link).to_be_focused()


def test_an_address_with_a_job_shows_its_runs_alone(page: Page, deployment: Deployment) -> None:
    other = deployment.runner.job(deployment.runner.task("main", "print('other')"))
    run_id = deployment.runner.start(other)
    page.goto(f"{deployment.server.address}/#job/{deployment.job_id}")
    runs = page.get_by_role("region", name=f"Runs of job {deployment.job_id}")
    expect(runs).to_contain_text("None was started")
    expect(page.get_by_role("region", name="Jobs").locator("[aria-current=true]")).to_contain_text(
        str(deployment.job_id)
    )
    runs.get_by_role("link", name="show all").click()
    expect(page.get_by_role("region", name="Runs", exact=True)).to_contain_text(str(run_id))


def test_an_address_of_a_run_that_is_gone_says_so(page: Page, deployment: Deployment) -> None:
    page.goto(f"{deployment.server.address}/?o=1#job/{deployment.job_id}/run/1")
    expect(page.get_by_role("region", name="Run 1")).to_contain_text("Run 1 does not exist.")


def test_the_page_asks_only_its_own_origin_and_neither_it_nor_an_answer_holds_a_secret(
    page: Page, deployment: Deployment
) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_console(page, deployment)
    page.get_by_role("button", name="Refresh operators").click()
    ended(page)
    page.get_by_role("button", name=f"Run {OPERATORS[0]} on gpu").click()
    expect(page.get_by_role("log", name="Log of task execute")).to_contain_text("the secret is [REDACTED]")
    ended(page)
    server = deployment.server
    elsewhere = [url for url in asked if not url.startswith((f"{server.address}/", "data:"))]
    assert elsewhere == []
    shown = [page.content(), *(answer.text() for answer in answers if answer.url.startswith("http"))]
    assert sum(deployment.name in text for text in shown) > 3
    for value in (SECRET, VARIABLE, deployment.client_secret, server.token, server.credential("fiftyone-api-key")):
        assert not any(value in text for text in shown)
