//! Checks the table: its key, its stream, TTL and point-in-time recovery.

use aws_sdk_dynamodb::types::{
    KeyType, PointInTimeRecoveryStatus, StreamViewType, TableDescription, TableStatus,
    TimeToLiveStatus,
};

use super::Report;
use super::clock::Clock;
use crate::connection::Connection;
use crate::failure::Trouble;
use crate::stack::Stack;

const AS_DEPLOYED: &str = "deploy the stack again: template.yaml has it";

pub(super) async fn look(
    connection: &Connection,
    stack: &Stack,
    clock: &Clock,
    report: &mut Report,
) {
    let client = connection.dynamodb();
    let the_table = stack.the_table();
    let asked = client.describe_table().table_name(&stack.table).customize();
    match asked.interceptor(clock.clone()).send().await {
        Err(error) => {
            let trouble = Trouble::of(the_table.as_str(), &error);
            return report.required("the table", "DynamoDB", &trouble);
        }
        Ok(described) => match described.table() {
            Some(table) => look_at(table, &the_table, report),
            None => report.unchecked(&the_table, "the endpoint does not describe it"),
        },
    }

    let asked = client
        .describe_time_to_live()
        .table_name(&stack.table)
        .send()
        .await;
    match asked {
        Err(error) => report.trouble(
            "the deletion of expired items",
            &Trouble::of(the_table.as_str(), &error),
        ),
        Ok(described) => {
            let description = described.time_to_live_description();
            let status = description.and_then(|ttl| ttl.time_to_live_status());
            let attribute = description.and_then(|ttl| ttl.attribute_name());
            let on = matches!(
                status,
                Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
            );
            report.judge(
                on && attribute == Some("expiresAt"),
                "expired items are deleted (TTL by expiresAt)",
                "expired items are never deleted: TTL by expiresAt is off",
                AS_DEPLOYED,
            );
        }
    }

    let asked = client
        .describe_continuous_backups()
        .table_name(&stack.table)
        .send()
        .await;
    let what = "point-in-time recovery";
    match asked {
        Err(error) => report.trouble(what, &Trouble::of(the_table, &error)),
        Ok(described) => {
            let status = described
                .continuous_backups_description()
                .and_then(|backups| backups.point_in_time_recovery_description())
                .and_then(|recovery| recovery.point_in_time_recovery_status());
            report.judge(
                status == Some(&PointInTimeRecoveryStatus::Enabled),
                "lost data can be restored (point-in-time recovery)",
                "lost data cannot be restored: point-in-time recovery is off",
                AS_DEPLOYED,
            );
        }
    }
}

fn look_at(table: &TableDescription, the_table: &str, report: &mut Report) {
    let [key] = table.key_schema() else {
        return no_table_of_ours(the_table, report);
    };
    if key.attribute_name() != "pk" || *key.key_type() != KeyType::Hash {
        return no_table_of_ours(the_table, report);
    }
    let ready = matches!(
        table.table_status(),
        None | Some(TableStatus::Active | TableStatus::Updating)
    );
    report.judge(
        ready,
        &format!("{the_table} is there"),
        &format!("{the_table} is not ready"),
        "wait until its status is ACTIVE",
    );
    let stream = table
        .stream_specification()
        .filter(|stream| stream.stream_enabled());
    match stream.and_then(|stream| stream.stream_view_type()) {
        Some(StreamViewType::KeysOnly) => report.good("the stream is on (keys only)"),
        Some(_) => report.bad(
            "the stream carries whole items, password hashes among them",
            "set its view type to KEYS_ONLY: template.yaml has it so",
        ),
        None => report.bad("the stream is off, so no mail is sent", AS_DEPLOYED),
    }
}

fn no_table_of_ours(the_table: &str, report: &mut Report) {
    report.bad(
        &format!("{the_table} is not a table of Regain: its key is not pk"),
        "give the one that the stack's output TableName names",
    );
}
