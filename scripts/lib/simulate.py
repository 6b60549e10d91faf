"""Simulates many recoveries a second, and finds the limits that they meet. `scripts/simulate` runs it.

Events happen in order of their time. The random numbers are seeded, so every run gives the same result. The settings come from
template.yaml. The times and AWS's quotas stand below, with their sources.
"""

import argparse
import collections
import dataclasses
import heapq
import itertools
import math
import random

import page
import svg
import template
import units

KINDS = ['request', 'proof', 'password']
# deliver-mail's own times. The floor of a batch is a setting of the template.
POLL = 0.25  # AWS: Lambda polls each shard of a stream four times a second
RECORD_OFFSET = 0.1  # of the floor, between the starts of two records of a batch: shared/src/mail/pace.rs
SEND = 0.060  # assumed: SES 40 ms, four round trips to the table 5 ms each
# AWS's quotas. "Default" can be raised for an account, the others are fixed.
PARTITION_UNITS = 1000  # DynamoDB: write units a second of one partition, and of one item
NEW_TABLE_UNITS = 4000  # DynamoDB: a new table on demand
TABLE_UNITS = 40_000  # DynamoDB: default for a table on demand
GATEWAY_RATE, GATEWAY_BURST = 10_000, 5_000  # API Gateway: default for account and region
LAMBDA_INSTANCES = 1_000  # Lambda: default; a new account has 10
LAMBDA_STARTS = 1_000  # Lambda: instances that one function may start at once, and again every ten seconds
SES_RATE = 14  # SES: mails a second, a usual first grant outside the sandbox

RATES = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]
SHOWN = [10, 1_000, 10_000]
RAMP = 10  # seconds: the load rises until then
SETTLED, MEASURED = 25, 10  # seconds: what happens after SETTLED counts, for so long
PATIENT, PATIENT_RATE = 10, 200  # up to this rate a run is so many times as long, so that a queue shows where it ends
THINK = 2.0  # seconds from a mail to the next call. Shorter than people's, so that a run settles; the rates do not depend on it.


@dataclasses.dataclass
class Settings:
    """What limits a stack."""

    requests_per_second: float
    request_burst: float
    passwords_per_second: float
    password_burst: float
    gateway_rate: float
    gateway_burst: float
    instances: int
    partitions: int
    ses_rate: float
    batch_size: int
    lanes: int  # of one shard
    floor: float

    @classmethod
    def of(cls, it):
        """A stack with the template's defaults, in an account with AWS's."""
        mapping = template.mail_mapping(it)
        assert not template.default(it, 'HashingConcurrency'), 'the simulation has no reserved instances'
        return cls(
            requests_per_second=template.default(it, 'RequestsPerSecond'),
            request_burst=template.default(it, 'RequestBurst'),
            passwords_per_second=template.default(it, 'PasswordsPerSecond'),
            password_burst=template.default(it, 'PasswordBurst'),
            gateway_rate=GATEWAY_RATE,
            gateway_burst=GATEWAY_BURST,
            instances=LAMBDA_INSTANCES,
            partitions=NEW_TABLE_UNITS // PARTITION_UNITS,
            ses_rate=SES_RATE,
            batch_size=mapping['BatchSize'],
            lanes=template.default(it, 'MailLanes'),
            floor=template.mail_batch_milliseconds(it) / 1000,
        )

    def batch_seconds(self, mails):
        """How long a batch takes: each of its mails has the time that is set to itself, and they start apart."""
        return self.floor * (1 + (mails - 1) * RECORD_OFFSET)

    def mails_per_second(self):
        """The most that the lanes of one shard take."""
        return self.lanes * self.batch_size / self.batch_seconds(self.batch_size)

    def raised(self, it, rate):
        """The same stack with every limit raised to what `rate` recoveries a second need, and half as much again."""
        most = {name: it['Parameters'][name]['MaxValue'] for name in ('RequestsPerSecond', 'RequestBurst', 'PasswordsPerSecond', 'PasswordBurst')}
        return dataclasses.replace(
            self,
            requests_per_second=min(max(1.5 * rate, self.requests_per_second), most['RequestsPerSecond']),
            request_burst=min(max(rate, self.request_burst), most['RequestBurst']),
            passwords_per_second=min(max(1.5 * rate, self.passwords_per_second), most['PasswordsPerSecond']),
            password_burst=min(max(rate, self.password_burst), most['PasswordBurst']),
            gateway_rate=max(1.5 * len(KINDS) * rate, GATEWAY_RATE),
            gateway_burst=max(1.5 * rate, GATEWAY_BURST),
            instances=max(math.ceil(1.5 * rate * instance_seconds(self)), LAMBDA_INSTANCES),
            partitions=max(math.ceil(1.5 * rate * units.recovery_writes() / PARTITION_UNITS), self.partitions),
            ses_rate=max(1.5 * units.MAILS * rate, SES_RATE),
            lanes=it['Parameters']['MailLanes']['MaxValue'],
        )


def instance_seconds(it):
    """Seconds of an instance that a recovery takes at most: each mail alone in its batch."""
    return sum(units.MILLISECONDS[kind] for kind in [*KINDS, 'event']) / 1000 + units.MAILS * it.floor


def limits(settings):
    """Recoveries a second that each limit allows by itself, as (name, rate, what raises it)."""
    shards = settings.partitions
    return [
        ('SES sending rate', settings.ses_rate / units.MAILS, 'SES: request a higher sending rate'),
        ('Lambda, a new account', 10 / instance_seconds(settings), 'Service Quotas: *Concurrent executions*'),
        ('PasswordsPerSecond', settings.passwords_per_second, '`PasswordsPerSecond`, `PasswordBurst`'),
        ('RequestsPerSecond', settings.requests_per_second, '`RequestsPerSecond`, `RequestBurst`'),
        ('a new table', NEW_TABLE_UNITS / units.recovery_writes(), '`WarmThroughput` of the table, or a load that doubles no faster than every half hour'),
        ('lanes of its stream', shards * settings.mails_per_second() / units.MAILS,
         '`MailLanes`; `MailBatchMilliseconds`; more shards come with more partitions'),
        ('Lambda, usual account', settings.instances / instance_seconds(settings), 'Service Quotas: *Concurrent executions*'),
        ('quota of a table', TABLE_UNITS / units.recovery_writes(), 'Service Quotas: *Table-level write throughput limit*'),
        ('API Gateway, account', settings.gateway_rate / len(KINDS), 'Service Quotas: *Throttle rate* of API Gateway'),
    ]


class Bucket:
    """A token bucket."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, 0.0

    def take(self, now, count=1):
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < count:
            return False
        self.tokens -= count
        return True


class Stack:
    """A stack under load, and what it did since the load stopped rising."""

    def __init__(self, settings, rate, seed):
        self.settings, self.rate = settings, rate
        length = PATIENT if rate <= PATIENT_RATE else 1
        self.settled, self.seconds = SETTLED * length, MEASURED * length
        self.random = random.Random(seed)
        self.events, self.order, self.now = [], itertools.count(), 0.0
        self.routes = {
            'request': Bucket(settings.requests_per_second, settings.request_burst),
            'proof': Bucket(settings.requests_per_second, settings.request_burst),
            'password': Bucket(settings.passwords_per_second, settings.password_burst),
        }
        self.gateway = Bucket(settings.gateway_rate, settings.gateway_burst)
        self.running, self.idle = collections.Counter(), collections.Counter()
        self.starts = {name: Bucket(LAMBDA_STARTS / 10, LAMBDA_STARTS) for name in [*KINDS, 'mail', 'event']}
        self.partitions = [Bucket(PARTITION_UNITS, PARTITION_UNITS) for _ in range(settings.partitions)]
        self.lanes = collections.defaultdict(collections.deque)
        self.busy_lanes = set()
        self.ses_free = 0.0
        self.refused, self.batches, self.waits = collections.Counter(), [], []
        self.begun = self.finished = 0
        self.peak = collections.Counter()

    def after(self, seconds, what, *arguments):
        heapq.heappush(self.events, (self.now + seconds, next(self.order), what, arguments))

    def run(self):
        self.arrive()
        while self.events and self.events[0][0] < self.settled + self.seconds:
            self.now, _, what, arguments = heapq.heappop(self.events)
            what(*arguments)
        return self

    @property
    def measured(self):
        return self.now >= self.settled

    def arrive(self):
        """A person asks for a code. The load rises evenly until RAMP: an arrival is kept as often as it has risen."""
        if self.random.random() < min(self.now / RAMP, 1.0):
            self.begun += self.measured
            self.call('request', 0)
        self.after(self.random.expovariate(self.rate), self.arrive)

    def call(self, kind, attempt):
        if not self.routes[kind].take(self.now):
            return self.refuse('route')
        if not self.gateway.take(self.now):
            return self.refuse('gateway')
        started = self.start(kind)
        if started is None:
            return self.refuse('Lambda')
        self.after(started + units.MILLISECONDS[kind] / 1000, self.write, kind, attempt)

    def refuse(self, why):
        self.refused[why] += self.measured

    def start(self, kind):
        """Seconds until an instance runs, or None."""
        if sum(self.running.values()) >= self.settings.instances:
            return None
        seconds = 0.0
        if self.idle[kind]:
            self.idle[kind] -= 1
        elif self.starts[kind].take(self.now):
            seconds = units.COLD_START_MILLISECONDS / 1000
        else:
            return None
        self.running[kind] += 1
        if self.measured:
            self.peak[kind] = max(self.peak[kind], self.running[kind])
            self.peak['all'] = max(self.peak['all'], sum(self.running.values()))
        return seconds

    def end(self, kind):
        self.running[kind] -= 1
        self.idle[kind] += 1

    def put(self, kind):
        """Writes to the table: each item is in a partition of its own key. Keys are digests, so all partitions are as likely."""
        return all([self.random.choice(self.partitions).take(self.now, item) for item in units.WRITES[kind]])

    def write(self, kind, attempt):
        """The end of a call, whose instance is still held while the SDK tries again."""
        if not self.put(kind):
            if attempt < 2:
                return self.after(0.05 * 2**attempt, self.write, kind, attempt + 1)
            self.end(kind)
            return self.refuse('table')
        self.end(kind)
        if kind == 'proof':
            self.after(self.random.expovariate(1 / THINK), self.call, 'password', 0)
        else:
            self.finished += self.measured and kind == 'password'
            self.request_mail('code' if kind == 'request' else 'notice')
            if kind == 'password':
                self.after(self.random.uniform(0, POLL), self.announce)

    def announce(self):
        """The event of a password that was set, alone in its batch."""
        started = self.start('event')
        if started is None:
            return self.after(1.0, self.announce)
        self.after(started + units.MILLISECONDS['event'] / 1000, self.end, 'event')

    def request_mail(self, what):
        lane = self.random.randrange(len(self.partitions)), self.random.randrange(self.settings.lanes)
        self.lanes[lane].append((self.now, what))
        if lane not in self.busy_lanes:
            self.busy_lanes.add(lane)
            self.after(self.random.uniform(0, POLL), self.begin_batch, lane)

    def begin_batch(self, lane):
        started = self.start('mail')
        if started is None:
            return self.after(1.0, self.begin_batch, lane)
        queue = self.lanes[lane]
        batch = [queue.popleft() for _ in range(min(len(queue), self.settings.batch_size))]
        if self.measured:
            self.batches.append(len(batch))
        for place, mail in enumerate(batch):
            self.after(started + place * self.settings.floor * RECORD_OFFSET, self.send, *mail)
        self.after(started + self.settings.batch_seconds(len(batch)), self.end_batch, lane)

    def end_batch(self, lane):
        self.end('mail')
        if self.lanes[lane]:
            self.begin_batch(lane)
        else:
            self.busy_lanes.discard(lane)

    def send(self, requested, what):
        """A mail beyond SES's rate is tried again outside of the lane, so it waits for its turn alone."""
        if not self.put('mail'):
            return self.after(1.0, self.send, requested, what)
        self.ses_free = max(self.ses_free, self.now) + 1 / self.settings.ses_rate
        self.after(self.ses_free - self.now + SEND, self.sent, requested, what)

    def sent(self, requested, what):
        if self.measured:
            self.waits.append(self.now - requested)
        if what == 'code':
            self.after(self.random.expovariate(1 / THINK), self.call, 'proof', 0)

    # What came out.

    @property
    def per_second(self):
        return self.finished / self.seconds

    def share(self, why):
        return self.refused[why] / max(self.begun, 1)

    def wait(self, quantile):
        waits = sorted(self.waits)
        return waits[min(int(quantile * len(waits)), len(waits) - 1)] if waits else math.nan


def one_shard(settings, mails_per_second, seed=7):
    """The middle and the slowest hundredth of seconds that a mail waits, behind the lanes of one shard alone."""
    alone = dataclasses.replace(
        settings, partitions=1, ses_rate=math.inf, requests_per_second=math.inf, request_burst=math.inf, gateway_rate=math.inf, gateway_burst=math.inf
    )
    stack = Stack(alone, mails_per_second, seed)
    stack.put = lambda kind: True
    stack.sent = lambda requested, what: stack.measured and stack.waits.append(stack.now - requested)
    stack.run()
    return stack.wait(0.5), stack.wait(0.99)


def number(value):
    return f'{value:,.0f}' if value >= 10 else f'{value:.1f}'


def percent(value):
    return f'{100 * value:.0f} %' if value >= 0.005 else '0'


def report(it, stock, raised):
    """The page's tables and the pictures."""
    settings = Settings.of(it)
    ordered = sorted(limits(settings), key=lambda row: row[1])
    out = [
        '| limit, at its default | recoveries a second | what raises it |',
        '|---|---|---|',
        *(f'| {name} | {number(rate)} | {how} |' for name, rate, how in ordered),
        '',
        'What each load needs, without headroom:',
        '',
        '| | ' + ' | '.join(f'{rate:,} a second' for rate in SHOWN) + ' |',
        '|---|' + '---|' * len(SHOWN),
        '| calls a second at the gateway | ' + ' | '.join(f'{len(KINDS) * rate:,}' for rate in SHOWN) + ' |',
        '| write units a second | ' + ' | '.join(f'{units.recovery_writes() * rate:,}' for rate in SHOWN) + ' |',
        '| partitions of the table, and shards of its stream | '
        + ' | '.join(f'{max(math.ceil(units.recovery_writes() * rate / PARTITION_UNITS), settings.partitions):,}' for rate in SHOWN) + ' |',
        '| mails a second | ' + ' | '.join(f'{units.MAILS * rate:,}' for rate in SHOWN) + ' |',
        '| instances, simulated peak | ' + ' | '.join(f'{raised[rate].peak["all"]:,}' for rate in SHOWN) + ' |',
        '| of these, deliver-mail | ' + ' | '.join(f'{raised[rate].peak["mail"]:,}' for rate in SHOWN) + ' |',
        '| mails in a batch, simulated mean | ' + ' | '.join(f'{sum(raised[rate].batches) / len(raised[rate].batches):.1f}' for rate in SHOWN) + ' |',
        '| seconds from request to mail, simulated: half, and all but one in a hundred | '
        + ' | '.join(f'{raised[rate].wait(0.5):.2f}, {raised[rate].wait(0.99):.2f}' for rate in SHOWN) + ' |',
        '',
        'What happens at the defaults. Shares are of all recoveries that begin; the rest still waits for a mail:',
        '',
        '| offered | finished a second | refused by a route\'s rate | by the gateway\'s quota | by Lambda | by the table |',
        '|---|---|---|---|---|---|',
        *(
            f'| {rate:,} a second | {stock[rate].per_second:,.1f} | '
            + ' | '.join(percent(stock[rate].share(why)) for why in ('route', 'gateway', 'Lambda', 'table')) + ' |'
            for rate in SHOWN
        ),
        '',
        'And with every limit raised to one and a half times what the load needs, as far as the template\'s parameters allow:',
        '',
        '| offered | finished a second | refused by a route\'s rate | by the gateway\'s quota | by Lambda | by the table |',
        '|---|---|---|---|---|---|',
        *(
            f'| {rate:,} a second | {raised[rate].per_second:,.1f} | '
            + ' | '.join(percent(raised[rate].share(why)) for why in ('route', 'gateway', 'Lambda', 'table')) + ' |'
            for rate in SHOWN
        ),
    ]
    capacity = settings.mails_per_second()
    loads = [capacity * share for share in (0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97)]
    behind = [one_shard(settings, load) for load in loads]
    finished = lambda runs: [(rate, max(runs[rate].per_second, 0.1)) for rate in RATES]
    pictures = {
        'scale-limits.svg': svg.bars(
            'Where the limits are', 'recoveries a second that each limit allows, at its default',
            [(name, rate) for name, rate, _ in ordered], marks=SHOWN,
        ),
        'scale-finished.svg': svg.curves(
            'Recoveries that finish', 'recoveries that begin each second', 'that finish each second',
            [('all limits raised', finished(raised)), ('all limits at their defaults', finished(stock))], logarithmic=(True, True),
        ),
        'scale-instances.svg': svg.curves(
            'Instances at once', 'recoveries each second, all limits raised', 'instances, peak',
            [
                (label, [(rate, max(raised[rate].peak[kind], 1)) for rate in RATES])
                for label, kind in [('all', 'all'), ('deliver-mail', 'mail'), ('set-password', 'password'), ('verify-otp', 'proof'), ('forgot-password', 'request')]
            ],
            logarithmic=(True, True),
        ),
        'scale-mail.svg': svg.curves(
            'How long a mail waits for its lane', f'mails each second through one shard: MailLanes {settings.lanes}, {settings.batch_size} mails in a batch, '
            f'{settings.batch_seconds(settings.batch_size) * 1000:.0f} ms a batch', 'seconds until SES has the mail',
            [('all but one in a hundred', list(zip(loads, (it[1] for it in behind)))), ('half', list(zip(loads, (it[0] for it in behind))))],
        ),
    }
    return '\n'.join(out), pictures


def main():
    parser = argparse.ArgumentParser(prog='scripts/simulate')
    parser.add_argument('--check', action='store_true', help='fail if docs/ has other figures or pictures')
    check = parser.parse_args().check
    it = template.load()
    settings = Settings.of(it)
    stock = {rate: Stack(settings, rate, seed=rate).run() for rate in RATES}
    raised = {rate: Stack(settings.raised(it, rate), rate, seed=rate).run() for rate in RATES}
    text, pictures = report(it, stock, raised)
    for name, picture in pictures.items():
        page.write(template.ROOT / 'docs' / name, picture, check)
    page.block(template.ROOT / 'docs/scale.md', 'scripts/simulate', text, check)


main()
