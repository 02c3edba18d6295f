//! Every table, once for both databases.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    clients (id) {
        id -> Uid,
        external_id -> Text,
        name -> Text,
        created_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    integrations (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        kind -> Text,
        name -> Text,
        base_url -> Text,
        username -> Nullable<Text>,
        sealed_secret -> Text,
        scopes -> JsonDoc,
        active -> Bool,
        health -> Text,
        health_detail -> Nullable<Text>,
        last_sync_at -> Nullable<Tstz>,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    schedules (client_id) {
        client_id -> Uid,
        enabled -> Bool,
        interval_minutes -> Integer,
        timezone -> Text,
        retry_enabled -> Bool,
        retry_interval_minutes -> Integer,
        retry_max_attempts -> Integer,
        next_due_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    jobs (client_id, job_type) {
        client_id -> Uid,
        job_type -> Text,
        status -> Text,
        version -> BigInt,
        active -> Bool,
        run_id -> Nullable<Uid>,
        pending_since -> Nullable<Tstz>,
        pending_trigger -> Nullable<Text>,
        attempt -> Integer,
        retry_at -> Nullable<Tstz>,
        last_run_id -> Nullable<Uid>,
        last_success_at -> Nullable<Tstz>,
        error -> Nullable<Text>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    runs (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        job_type -> Text,
        trigger -> Text,
        attempt -> Integer,
        outcome -> Nullable<Text>,
        started_at -> Tstz,
        finished_at -> Nullable<Tstz>,
        error -> Nullable<Text>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    steps (client_id, run_id, position) {
        client_id -> Uid,
        run_id -> Uid,
        position -> Integer,
        name -> Text,
        status -> Text,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    tasks (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        run_id -> Nullable<Uid>,
        position -> Nullable<Integer>,
        kind -> Text,
        topic -> Text,
        integration_id -> Nullable<Uid>,
        scope -> Text,
        created_from -> Nullable<Tstz>,
        created_to -> Nullable<Tstz>,
        updated_since -> Nullable<Tstz>,
        state -> Text,
        cursor -> Text,
        input -> Text,
        output -> Nullable<Text>,
        not_before -> Nullable<Tstz>,
        lease_owner -> Nullable<Text>,
        lease_until -> Nullable<Tstz>,
        fence -> BigInt,
        attempts -> Integer,
        crashes -> Integer,
        pages -> BigInt,
        pages_before -> BigInt,
        rows -> BigInt,
        requests -> BigInt,
        error -> Nullable<Text>,
        begun_at -> Tstz,
        updated_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    gaps (client_id, run_id, task_id, scope) {
        client_id -> Uid,
        run_id -> Uid,
        scope -> Text,
        reason -> Text,
        task_id -> Uid,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    watermarks (client_id, integration_id, step, scope) {
        client_id -> Uid,
        integration_id -> Uid,
        step -> Text,
        scope -> Text,
        read_to -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    outbox (id) {
        id -> BigInt,
        client_id -> Uid,
        topic -> Text,
        task_id -> Nullable<Uid>,
        created_at -> Tstz,
        taken_until -> Nullable<Tstz>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    events (seq) {
        seq -> BigInt,
        client_id -> Uid,
        run_id -> Nullable<Uid>,
        kind -> Text,
        body -> JsonDoc,
        created_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    projects (client_id, integration_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        external_id -> BigInt,
        key -> Text,
        name -> Text,
        kind -> Text,
        former_keys -> JsonDoc,
        active -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    issue_types (client_id, integration_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        external_id -> BigInt,
        name -> Text,
        hierarchy_level -> Integer,
        active -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    statuses (client_id, integration_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        external_id -> BigInt,
        name -> Text,
        category -> Text,
        active -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    sprints (client_id, integration_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        external_id -> BigInt,
        board_id -> BigInt,
        name -> Text,
        state -> Text,
        started_at -> Nullable<Tstz>,
        ends_at -> Nullable<Tstz>,
        completed_at -> Nullable<Tstz>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    issues (client_id, integration_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        external_id -> BigInt,
        project_id -> BigInt,
        key -> Text,
        type_id -> BigInt,
        status_id -> BigInt,
        summary -> Text,
        priority -> Nullable<Text>,
        assignee -> Nullable<Text>,
        creator -> Nullable<Text>,
        parent_id -> Nullable<BigInt>,
        parent_key -> Nullable<Text>,
        labels -> JsonDoc,
        components -> JsonDoc,
        moments -> JsonDoc,
        mentions -> JsonDoc,
        story_points -> Nullable<Double>,
        sprints -> JsonDoc,
        created_at -> Tstz,
        updated_at -> Tstz,
        resolved_at -> Nullable<Tstz>,
        changelog_complete -> Bool,
        deleted -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    issue_changes (client_id, integration_id, issue_id, change_id, item_index) {
        client_id -> Uid,
        integration_id -> Uid,
        issue_id -> BigInt,
        change_id -> BigInt,
        item_index -> Integer,
        field -> Text,
        from_value -> Nullable<Text>,
        from_string -> Nullable<Text>,
        to_value -> Nullable<Text>,
        to_string -> Nullable<Text>,
        author -> Nullable<Text>,
        changed_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    repositories (client_id, integration_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        external_id -> BigInt,
        full_name -> Text,
        default_branch -> Nullable<Text>,
        archived -> Bool,
        active -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    pull_requests (client_id, integration_id, repository_id, number) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        number -> BigInt,
        external_id -> BigInt,
        title -> Text,
        state -> Text,
        draft -> Bool,
        author -> Nullable<Text>,
        author_is_bot -> Bool,
        created_at -> Tstz,
        updated_at -> Tstz,
        merged_at -> Nullable<Tstz>,
        closed_at -> Nullable<Tstz>,
        ready_at -> Nullable<Tstz>,
        merge_commit_sha -> Nullable<Text>,
        head_ref -> Text,
        base_ref -> Text,
        head_sha -> Text,
        additions -> BigInt,
        deletions -> BigInt,
        changed_files -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    commits (client_id, integration_id, repository_id, sha) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        sha -> Text,
        author -> Nullable<Text>,
        authored_at -> Tstz,
        committed_at -> Tstz,
        message -> Text,
        parents -> Nullable<JsonDoc>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    pull_request_commits (client_id, integration_id, repository_id, number, sha) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        number -> BigInt,
        sha -> Text,
        position -> Integer,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    reviews (client_id, integration_id, repository_id, number, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        number -> BigInt,
        external_id -> BigInt,
        author -> Nullable<Text>,
        author_is_bot -> Bool,
        state -> Text,
        submitted_at -> Nullable<Tstz>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    comments (client_id, integration_id, repository_id, number, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        number -> BigInt,
        external_id -> BigInt,
        author -> Nullable<Text>,
        author_is_bot -> Bool,
        created_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    review_comments (client_id, integration_id, repository_id, number, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        number -> BigInt,
        external_id -> BigInt,
        author -> Nullable<Text>,
        author_is_bot -> Bool,
        created_at -> Tstz,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    deployments (client_id, integration_id, repository_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        external_id -> Text,
        environment -> Text,
        sha -> Text,
        outcome -> Text,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
        estimated -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    pull_request_issues (client_id, integration_id, repository_id, number, issue_integration_id, issue_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        number -> BigInt,
        issue_integration_id -> Uid,
        issue_id -> BigInt,
        via -> Text,
        key_seen -> Text,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    pull_request_facts (client_id, integration_id, repository_id, number) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        number -> BigInt,
        first_commit_at -> Nullable<Tstz>,
        first_review_at -> Nullable<Tstz>,
        coding_seconds -> Nullable<Double>,
        pickup_seconds -> Nullable<Double>,
        review_seconds -> Nullable<Double>,
        deploy_seconds -> Nullable<Double>,
        lead_seconds -> Nullable<Double>,
        deployment_id -> Nullable<Text>,
        deployed_at -> Nullable<Tstz>,
        author_is_bot -> Bool,
        is_open -> Bool,
        draft -> Bool,
        opened_at -> Tstz,
        merged_at -> Nullable<Tstz>,
        lines -> BigInt,
        files -> BigInt,
        reviews -> BigInt,
        reviewers -> BigInt,
        comments -> BigInt,
        review_rounds -> BigInt,
        reverted -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    deployment_facts (client_id, integration_id, repository_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        external_id -> Text,
        source -> Text,
        environment_seen -> Text,
        sha -> Text,
        outcome -> Text,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
        estimated -> Bool,
        environment -> Nullable<Text>,
        reason -> Nullable<Text>,
        previous_id -> Nullable<Text>,
        rollback -> Bool,
        rolled_back -> Bool,
        pull_requests -> BigInt,
        incidents -> BigInt,
        succeeded_at -> Nullable<Tstz>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    incident_facts (client_id, integration_id, issue_id) {
        client_id -> Uid,
        integration_id -> Uid,
        issue_id -> BigInt,
        started_at -> Tstz,
        ended_at -> Nullable<Tstz>,
        deploy_integration_id -> Nullable<Uid>,
        repository_id -> Nullable<BigInt>,
        deployment_id -> Nullable<Text>,
        rule -> Nullable<Text>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    snapshots (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        as_of -> Tstz,
        published_at -> Tstz,
        body -> JsonDoc,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    workflows (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        integration_id -> Nullable<Uid>,
        name -> Text,
        active -> Bool,
        version -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    workflow_steps (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        workflow_id -> Uid,
        integration_id -> Nullable<Uid>,
        name -> Text,
        position -> Integer,
        category -> Text,
        waiting -> Bool,
        commitment -> Bool,
        takes -> Nullable<Text>,
        active -> Bool,
        version -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    status_mappings (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        integration_id -> Nullable<Uid>,
        issue_type -> Nullable<Text>,
        status -> Text,
        step_id -> Uid,
        active -> Bool,
        version -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    issue_type_mappings (client_id, id) {
        client_id -> Uid,
        id -> Uid,
        integration_id -> Nullable<Uid>,
        issue_type -> Text,
        mapped_to -> Text,
        hierarchy_level -> Integer,
        parent_id -> Nullable<Uid>,
        workflow_id -> Nullable<Uid>,
        active -> Bool,
        version -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    workflow_revisions (client_id) {
        client_id -> Uid,
        revision -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    issue_facts (client_id, integration_id, issue_id) {
        client_id -> Uid,
        integration_id -> Uid,
        issue_id -> BigInt,
        step_id -> Nullable<Uid>,
        step -> Nullable<Text>,
        category -> Nullable<Text>,
        reason -> Nullable<Text>,
        entered_at -> Tstz,
        committed_at -> Nullable<Tstz>,
        started_at -> Nullable<Tstz>,
        lead_seconds -> Nullable<Double>,
        cycle_seconds -> Nullable<Double>,
        active_seconds -> Nullable<Double>,
        rework -> Integer,
        steps -> JsonDoc,
        moves -> Text,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    flow_days (client_id, integration_id, project_id, day, step_id) {
        client_id -> Uid,
        integration_id -> Uid,
        project_id -> BigInt,
        day -> Integer,
        step_id -> Uid,
        entered -> BigInt,
        gone -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    flow_states (client_id) {
        client_id -> Uid,
        revision -> BigInt,
        as_of -> Nullable<Tstz>,
        publications -> BigInt,
        basis -> Text,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    deployment_rules (client_id, position) {
        client_id -> Uid,
        position -> Integer,
        repository -> Text,
        source -> Text,
        pattern -> Nullable<Text>,
        environments -> JsonDoc,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    incident_rules (client_id, position) {
        client_id -> Uid,
        position -> Integer,
        integration_id -> Nullable<Uid>,
        issue_types -> JsonDoc,
        labels -> JsonDoc,
        components -> JsonDoc,
        fields -> JsonDoc,
        started_at_field -> Nullable<Text>,
        deployment_field -> Nullable<Text>,
        window_hours -> Nullable<BigInt>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    rule_versions (client_id) {
        client_id -> Uid,
        deployments -> BigInt,
        incidents -> BigInt,
        posted -> BigInt,
        bots -> BigInt,
        projects -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    project_rules (client_id, position) {
        client_id -> Uid,
        position -> Integer,
        project -> Text,
        repositories -> JsonDoc,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    bot_rules (client_id, position) {
        client_id -> Uid,
        position -> Integer,
        login -> Text,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    shipments (client_id, integration_id, repository_id, source, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        source -> Text,
        external_id -> Text,
        name -> Text,
        path -> Nullable<Text>,
        sha -> Text,
        outcome -> Text,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    posted_deployments (client_id, integration_id, repository_id, external_id) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        external_id -> Text,
        environment -> Text,
        sha -> Text,
        outcome -> Text,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
        estimated -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    delivery_states (client_id) {
        client_id -> Uid,
        revision -> BigInt,
        publications -> BigInt,
        basis -> Text,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    changed_issues (client_id, integration_id, issue_id) {
        client_id -> Uid,
        integration_id -> Uid,
        issue_id -> BigInt,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    changed_repositories (client_id, integration_id, repository_id, taken) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        taken -> Bool,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    missing_commits (client_id, integration_id, repository_id, sha) {
        client_id -> Uid,
        integration_id -> Uid,
        repository_id -> BigInt,
        sha -> Text,
        gone_at -> Nullable<Tstz>,
    }
}

table! {
    use crate::types::*;
    use diesel::sql_types::*;

    reported (client_id, report, day) {
        client_id -> Uid,
        report -> Text,
        day -> Integer,
        told_at -> Tstz,
        answer -> Binary,
    }
}

allow_tables_to_appear_in_same_query!(
    clients,
    integrations,
    schedules,
    jobs,
    runs,
    steps,
    tasks,
    gaps,
    watermarks,
    outbox,
    events,
    projects,
    issue_types,
    statuses,
    sprints,
    issues,
    issue_changes,
    repositories,
    pull_requests,
    commits,
    pull_request_commits,
    reviews,
    comments,
    review_comments,
    deployments,
    pull_request_issues,
    pull_request_facts,
    deployment_facts,
    incident_facts,
    snapshots,
    workflows,
    workflow_steps,
    status_mappings,
    issue_type_mappings,
    workflow_revisions,
    issue_facts,
    flow_days,
    reported,
    flow_states,
    deployment_rules,
    incident_rules,
    rule_versions,
    bot_rules,
    project_rules,
    delivery_states,
    posted_deployments,
    shipments,
    changed_issues,
    changed_repositories,
    missing_commits,
);
