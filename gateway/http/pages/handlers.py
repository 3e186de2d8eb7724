"""All pages, gathered from their files."""

from litestar.handlers import HTTPRouteHandler

from gateway.http.pages.analytics import analytics_page
from gateway.http.pages.assistant_edits import (
    create_assistant_on_page,
    edit_assistant_page,
    new_assistant_page,
    save_assistant_on_page,
)
from gateway.http.pages.assistant_versions import (
    assistant_versions_page,
    remove_assistant_on_page,
    remove_assistant_page,
    restore_assistant_version,
)
from gateway.http.pages.assistants import assistant_page, assistants_page
from gateway.http.pages.audit import audit_check_page, audit_page, export_audit
from gateway.http.pages.change_steps import (
    change_step_page,
    gate_page,
    rebase_on_page,
    rebase_page,
    run_gate_on_page,
    take_change_step,
)
from gateway.http.pages.changes import (
    change_page,
    changes_page,
    comment_on_page,
    describe_on_page,
    take_out_on_page,
)
from gateway.http.pages.feedback import export_feedback_page, feedback_page, helpful_rates_page
from gateway.http.pages.keys import (
    create_key_on_page,
    key_page,
    keys_page,
    new_key_page,
    revoke_key_on_page,
    rotate_key_on_page,
)
from gateway.http.pages.overview import begin_with_bundle_on_page, begin_with_example_on_page, overview_page
from gateway.http.pages.people import (
    change_grants,
    create_person,
    disable_person,
    enable_person,
    end_persons_sessions,
    new_person_page,
    people_page,
    person_page,
    reset_persons_password,
    reset_persons_totp,
)
from gateway.http.pages.playground import ask_on_playground, playground_page
from gateway.http.pages.presence import say_here_on_page
from gateway.http.pages.profile import (
    authenticator_page,
    change_password_on_page,
    confirm_on_page,
    disable_on_page,
    end_session_on_page,
    enrol_on_page,
    profile_page,
)
from gateway.http.pages.prompt_edits import (
    check_new_prompt_on_page,
    check_prompt_on_page,
    create_prompt_on_page,
    edit_prompt_page,
    new_prompt_page,
    remove_prompt_on_page,
    remove_prompt_page,
    save_prompt_on_page,
)
from gateway.http.pages.prompt_imports import (
    draft_import_on_page,
    export_refused_rows,
    export_sample_rows,
    import_page,
    import_prompts_on_page,
    import_prompts_page,
)
from gateway.http.pages.prompt_preview import preview_prompt_on_page, preview_prompt_page
from gateway.http.pages.prompt_selection import (
    edit_selected_prompts,
    export_prompts_page,
    selected_prompts_page,
)
from gateway.http.pages.prompt_versions import prompt_versions_page, restore_prompt_version
from gateway.http.pages.prompts import found_prompts, prompt_page, prompts_page
from gateway.http.pages.rail_edits import (
    check_policy_code,
    check_policy_form,
    policy_code_page,
    policy_form_page,
    save_policy_code,
    save_policy_form,
)
from gateway.http.pages.rails import policy_page, rails_page, try_rails_on_page
from gateway.http.pages.requests import request_page, requests_page, reveal_request
from gateway.http.pages.sign_in import (
    choose_look,
    set_up_on_page,
    setup_page,
    sign_in_on_page,
    sign_in_page,
    sign_out_on_page,
)
from gateway.http.pages.suites import (
    draft_suite,
    draft_suite_case,
    new_suite_page,
    run_suite_on_page,
    suite_case_page,
    suite_page,
    suites_page,
)
from gateway.http.pages.system import export_content_page, system_page
from gateway.http.pages.unmatched import (
    act_on_cluster_page,
    undo_on_page,
    unmatched_actions_page,
    unmatched_cluster_page,
    unmatched_page,
)
from gateway.http.pages.waiting import waiting_numbers
from gateway.http.pages.widget import (
    disable_widget_on_page,
    enable_widget_on_page,
    rotate_widget_on_page,
    widget_client_page,
    widgets_page,
)
from gateway.http.pages.widget_edits import (
    change_widget_on_page,
    create_widget_on_page,
    edit_widget_page,
    new_widget_page,
)

PAGE_HANDLERS: tuple[HTTPRouteHandler, ...] = (
    sign_in_page,
    sign_in_on_page,
    sign_out_on_page,
    setup_page,
    set_up_on_page,
    choose_look,
    overview_page,
    waiting_numbers,
    begin_with_example_on_page,
    begin_with_bundle_on_page,
    say_here_on_page,
    playground_page,
    ask_on_playground,
    assistants_page,
    new_assistant_page,
    create_assistant_on_page,
    assistant_page,
    edit_assistant_page,
    save_assistant_on_page,
    assistant_versions_page,
    restore_assistant_version,
    remove_assistant_page,
    remove_assistant_on_page,
    rails_page,
    policy_page,
    try_rails_on_page,
    policy_code_page,
    save_policy_code,
    check_policy_code,
    policy_form_page,
    save_policy_form,
    check_policy_form,
    analytics_page,
    prompts_page,
    found_prompts,
    import_prompts_page,
    import_prompts_on_page,
    export_sample_rows,
    import_page,
    draft_import_on_page,
    export_refused_rows,
    export_prompts_page,
    selected_prompts_page,
    edit_selected_prompts,
    new_prompt_page,
    create_prompt_on_page,
    check_new_prompt_on_page,
    prompt_page,
    edit_prompt_page,
    save_prompt_on_page,
    check_prompt_on_page,
    preview_prompt_page,
    preview_prompt_on_page,
    prompt_versions_page,
    restore_prompt_version,
    remove_prompt_page,
    remove_prompt_on_page,
    changes_page,
    change_page,
    comment_on_page,
    describe_on_page,
    take_out_on_page,
    change_step_page,
    take_change_step,
    gate_page,
    run_gate_on_page,
    rebase_page,
    rebase_on_page,
    requests_page,
    request_page,
    reveal_request,
    unmatched_page,
    unmatched_cluster_page,
    act_on_cluster_page,
    unmatched_actions_page,
    undo_on_page,
    suites_page,
    new_suite_page,
    draft_suite,
    suite_page,
    suite_case_page,
    draft_suite_case,
    run_suite_on_page,
    feedback_page,
    helpful_rates_page,
    export_feedback_page,
    keys_page,
    new_key_page,
    create_key_on_page,
    key_page,
    rotate_key_on_page,
    revoke_key_on_page,
    widgets_page,
    new_widget_page,
    create_widget_on_page,
    widget_client_page,
    edit_widget_page,
    change_widget_on_page,
    rotate_widget_on_page,
    disable_widget_on_page,
    enable_widget_on_page,
    people_page,
    new_person_page,
    create_person,
    person_page,
    change_grants,
    disable_person,
    enable_person,
    end_persons_sessions,
    reset_persons_password,
    reset_persons_totp,
    audit_page,
    audit_check_page,
    export_audit,
    system_page,
    export_content_page,
    profile_page,
    change_password_on_page,
    end_session_on_page,
    authenticator_page,
    enrol_on_page,
    confirm_on_page,
    disable_on_page,
)
