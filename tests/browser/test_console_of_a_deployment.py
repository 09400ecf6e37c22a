"""The console on what the program itself deploys, with the real engine."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.engine.fiftyone import write_operators
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace


def test_the_address_of_a_job_leads_to_it_and_both_actions_work_on_what_up_deployed(page: Page, tmp_path: Path) -> None:
    source, folder = tmp_path / "plugins", tmp_path / "project"
    write_operators(source, "first")
    folder.mkdir()
    workspace = Workspace.start(tmp_path / "workspace")
    try:
        stack = Stack.create(folder, workspace, plugins={"source": str(source)})
        stack.up()
        outputs = stack.outputs()
        job = outputs["orchestrators"]["gpu"]
        page.goto(job["jobUrl"])
        expect(page.get_by_role("heading", name=f"Runs of job {job['jobId']}")).to_be_focused()
        for region, text in (
            ("Jobs", job["executionTaskKey"]),
            ("Secrets", f"Scope {outputs['secretScope']}"),
            ("Secrets", job["fiftyoneSecrets"]["clientSecret"]),
            ("Files", "entrypoint.py"),
        ):
            expect(page.get_by_role("region", name=region, exact=True)).to_contain_text(text)
        page.get_by_role("button", name="Refresh operators").click()
        page.get_by_role("button", name="Run @example/hello/first on gpu").click()
        log = page.get_by_role("log", name=f"Log of task {job['executionTaskKey']}")
        expect(log).to_contain_text("executed @example/hello/first")
        expect(page.get_by_role("status").filter(has_text="has ended")).to_contain_text("SUCCESS")
        shown = page.content()
        assert not [value for name, value in stack.environ.items() if "hidden" in value and value in shown]
    finally:
        workspace.stop()
