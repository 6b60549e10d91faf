//! Records the calls of the engine's DynamoDB client, and makes them fail if a test asks for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextMut,
    BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// One call of the store, however often the SDK tried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCall {
    /// The operation of DynamoDB.
    pub operation: &'static str,
    /// The keys of its items, in order.
    pub keys: Vec<String>,
    /// Whether it read, and then whether consistently.
    pub consistent: Option<bool>,
    /// How often it was sent.
    pub sent: usize,
    /// Its round trip: the first is 1. Calls under way at the same time are in the same one.
    pub round: usize,
}

/// The place of a call among the recorded ones, which its own interceptor calls find again.
#[derive(Clone, Copy, Debug)]
struct Place(usize);

impl Storable for Place {
    type Storer = StoreReplace<Self>;
}

/// The place of the call that an interceptor is called for.
fn place(config: &ConfigBag) -> usize {
    config.load::<Place>().map_or(0, |place| place.0)
}

impl StoreCall {
    /// The operation and the kinds of its items: what an observer of the store's traffic could tell.
    pub fn shape(&self) -> String {
        let kinds: Vec<&str> = self
            .keys
            .iter()
            .filter_map(|key| key.split('#').next())
            .collect();
        format!("{} {}", self.operation, kinds.join(" "))
    }
}

/// A fault of the store.
#[derive(Clone, Debug)]
pub enum Fault {
    /// From the call of that number on, nothing reaches the store.
    Down(usize),
    /// The first answer to the call of that number is lost; it was carried out.
    AnswerLost(usize),
    /// From the first number's call on, as many calls as the second says are cancelled for these reasons, if they are
    /// transactions.
    Cancelled(usize, usize, &'static [&'static str]),
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<StoreCall>,
    write_units: u32,
    read_units: f64,
    fault: Option<Fault>,
    /// The last round trip that a call has come back from.
    rounds: usize,
}

impl State {
    /// Whether that call is a transaction.
    fn in_transaction(&self, place: usize) -> bool {
        let call = self.calls.get(place);
        call.is_some_and(|call| call.operation == "TransactWriteItems")
    }
}

/// Records the calls of the engine's client.
#[derive(Clone, Debug)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
    /// Where something answers that is no store.
    elsewhere: String,
}

impl Recorder {
    /// A recorder. Calls that never reach the table go to `elsewhere`, which has to answer.
    pub fn new(elsewhere: &str) -> Self {
        Self {
            state: Arc::default(),
            elsewhere: elsewhere.to_owned(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was, and any fault.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    /// Forgets what was; from now on this goes wrong.
    pub fn fail(&self, fault: Fault) {
        self.reset();
        self.state().fault = Some(fault);
    }

    /// The calls since the last reset.
    pub fn calls(&self) -> Vec<StoreCall> {
        self.state().calls.clone()
    }

    /// The round trips since the last reset: calls that were under way at the same time count once.
    pub fn rounds(&self) -> usize {
        let state = self.state();
        state.calls.iter().map(|call| call.round).max().unwrap_or(0)
    }

    /// The shapes of the calls since the last reset.
    pub fn shapes(&self) -> Vec<String> {
        self.state().calls.iter().map(StoreCall::shape).collect()
    }

    /// Write units of all that was applied; a refused transaction reports none.
    pub fn write_units(&self) -> u32 {
        self.state().write_units
    }

    /// Read units of all items that were asked for.
    pub fn read_units(&self) -> f64 {
        self.state().read_units
    }
}

fn pk(key: Option<&std::collections::HashMap<String, AttributeValue>>) -> String {
    key.and_then(|key| key.get("pk"))
        .and_then(|value| value.as_s().ok())
        .cloned()
        .unwrap_or_default()
}

fn key_of(item: &TransactWriteItem) -> String {
    let key = item
        .update()
        .map(Update::key)
        .or(item.put().map(Put::item))
        .or(item.condition_check().map(ConditionCheck::key))
        .or(item.delete().map(Delete::key));
    pk(key)
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        let total = Some(ReturnConsumedCapacity::Total);
        let (operation, keys, consistent) = if let Some(get) = input.downcast_mut::<GetItemInput>()
        {
            get.return_consumed_capacity = total;
            let consistent = Some(get.consistent_read == Some(true));
            ("GetItem", vec![pk(get.key.as_ref())], consistent)
        } else if let Some(read) = input.downcast_mut::<BatchGetItemInput>() {
            let asked: Vec<_> = read.request_items.iter().flatten().map(|it| it.1).collect();
            let keys = asked.iter().flat_map(|asked| asked.keys());
            let keys = keys.map(|key| pk(Some(key))).collect();
            let consistent = asked.iter().all(|it| it.consistent_read == Some(true));
            ("BatchGetItem", keys, Some(consistent))
        } else if let Some(write) = input.downcast_mut::<TransactWriteItemsInput>() {
            write.return_consumed_capacity = total;
            let items = write.transact_items.iter().flatten();
            ("TransactWriteItems", items.map(key_of).collect(), None)
        } else if let Some(update) = input.downcast_mut::<UpdateItemInput>() {
            update.return_consumed_capacity = total;
            ("UpdateItem", vec![pk(update.key.as_ref())], None)
        } else {
            ("something else", Vec::new(), None)
        };
        let mut state = self.state();
        let place = Place(state.calls.len());
        config.interceptor_state().store_put(place);
        let round = state.rounds + 1;
        state.calls.push(StoreCall {
            operation,
            keys,
            consistent,
            sent: 0,
            round,
        });
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut state = self.state();
        let (place, number) = (place(config), place(config) + 1);
        if let Some(call) = state.calls.get_mut(place) {
            call.sent += 1;
        }
        let astray = match &state.fault {
            Some(Fault::Down(from)) => number >= *from,
            Some(Fault::Cancelled(call, times, _)) => {
                state.in_transaction(place) && (*call..call + times).contains(&number)
            }
            _ => false,
        };
        if astray {
            context.request_mut().set_uri(self.elsewhere.as_str())?;
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut state = self.state();
        let (place, number) = (place(config), place(config) + 1);
        let (sent, round) = state
            .calls
            .get(place)
            .map_or((0, 0), |call| (call.sent, call.round));
        state.rounds = state.rounds.max(round);
        let response = context.response_mut();
        match &state.fault {
            Some(Fault::Down(from)) if number >= *from => {
                *response.status_mut() = 500.try_into()?;
            }
            Some(Fault::AnswerLost(call)) if number == *call && sent == 1 => {
                *response.status_mut() = 500.try_into()?;
            }
            Some(Fault::Cancelled(call, times, reasons))
                if state.in_transaction(place) && (*call..call + times).contains(&number) =>
            {
                let reasons: Vec<_> = reasons
                    .iter()
                    .map(|code| serde_json::json!({ "Code": code }))
                    .collect();
                let body = serde_json::json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "Message": "Transaction cancelled",
                    "CancellationReasons": reasons,
                });
                *response.status_mut() = 400.try_into()?;
                *response.body_mut() = body.to_string().into();
            }
            _ => {}
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            return Ok(());
        };
        let of_one = aws_sdk_dynamodb::types::ConsumedCapacity::capacity_units;
        if let Some(read) = output.downcast_ref::<GetItemOutput>() {
            let units = read.consumed_capacity().and_then(of_one);
            self.state().read_units += units.unwrap_or_default();
            return Ok(());
        }
        let units: f64 = if let Some(write) = output.downcast_ref::<TransactWriteItemsOutput>() {
            write.consumed_capacity().iter().filter_map(of_one).sum()
        } else if let Some(update) = output.downcast_ref::<UpdateItemOutput>() {
            update
                .consumed_capacity()
                .and_then(of_one)
                .unwrap_or_default()
        } else {
            0.0
        };
        self.state().write_units += format!("{units:.0}").parse::<u32>()?;
        Ok(())
    }
}
