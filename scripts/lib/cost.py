"""Computes what Regain costs, from template.yaml, the write units of each call, and AWS's prices. `scripts/cost` runs it."""

import argparse
import dataclasses
import math
import re

import page
import template
import units

# List prices of us-east-1 without free tiers, in dollars, as AWS's price pages had them in November 2025.
SES_MAIL = 0.10 / 1000
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6  # DynamoDB on demand, table class Standard
WRITE_UNIT_HOUR, READ_UNIT_HOUR = 0.00065, 0.00013  # the same, provisioned: one unit a second for an hour
SCALING_ALARMS = 8  # which Application Auto Scaling makes for the table
GATEWAY_CALL = 1.00e-6  # API Gateway, HTTP API
LAMBDA_CALL, LAMBDA_GB_SECOND = 0.20e-6, 0.0000133334  # arm64
LOG_GB, LOG_GB_INFREQUENT = 0.50, 0.25  # CloudWatch Logs, taken in: Standard, Infrequent Access
TRACE = 5.00e-6  # X-Ray, recorded
GB_OUT = 0.09  # to the internet
EVENT = 1.00e-6  # EventBridge, an event of one's own on a bus
SECRET, ALARM_METRIC, DASHBOARD, METRIC = 0.40, 0.10, 3.00, 0.30  # a month each

MILLION = 1_000_000
MONTH_SECONDS = 30 * 86400

AUDIT_MS = 2  # assumed: milliseconds of audit-trail for a record
START_SHARE = 0.002  # assumed: cold starts among all runs
# Kilobytes of log lines, assumed: a line of the access log; Lambda's three lines of a run; Regain's metrics of a run; an audit record.
ACCESS_KB, PLATFORM_KB, METRICS_KB, AUDIT_KB = 0.45, 0.40, 0.40, 0.40
ANSWER_KB = 0.8  # assumed: an answer with its headers and its share of the TLS handshake


@dataclasses.dataclass
class Call:
    """What one call of something takes, the mails and records that follow from it included."""

    runs: list  # (function, milliseconds)
    writes: int
    reads: int
    gateway: int = 1
    mails: int = 0
    audit: int = 0
    events: int = 0

    @classmethod
    def of(cls, kind, function, audit=1):
        return cls([(function, units.MILLISECONDS[kind])], units.writes(kind), units.READS[kind], audit=audit)

    def __add__(self, other):
        return Call(*(getattr(self, it.name) + getattr(other, it.name) for it in dataclasses.fields(self)))


@dataclasses.dataclass
class Stack:
    """What the template says, as far as it costs money."""

    memory: dict  # megabytes of each function
    floor: int  # milliseconds of a batch of mails
    traced: bool
    platform_lines: bool
    audit_log_gb: float
    write_unit: float
    read_unit: float
    tells_events: bool
    secrets: int
    alarm_metrics: int
    dashboards: int
    metrics: int
    idle_units: int = 0  # write units and read units that are provisioned at least

    @classmethod
    def of(cls, it):
        resources = it['Resources'].values()
        alarms = [r['Properties'] for r in resources if r['Type'] == 'AWS::CloudWatch::Alarm']
        dashboards = [r['Properties']['DashboardBody']['Fn::Sub'] for r in resources if r['Type'] == 'AWS::CloudWatch::Dashboard']
        assert template.default(it, 'TableMinimumUnits') == 0, 'the prices of the table are those of on-demand capacity'
        logging = it['Globals']['Function'].get('LoggingConfig', {})
        audit = it['Resources']['AuditLogs']['Properties']
        return cls(
            memory={name: template.memory(it, name) for name in template.functions(it)},
            floor=template.mail_batch_milliseconds(it),
            traced=template.default(it, 'Tracing') == 'Active',
            platform_lines=logging.get('SystemLogLevel') != 'WARN',
            audit_log_gb=LOG_GB_INFREQUENT if audit.get('LogGroupClass') == 'INFREQUENT_ACCESS' else LOG_GB,
            write_unit=WRITE_UNIT,
            read_unit=READ_UNIT,
            tells_events=template.default(it, 'EventBus') != 'none',
            secrets=sum(r['Type'] == 'AWS::SecretsManager::Secret' for r in resources),
            # An alarm costs as much for each metric that it reads.
            alarm_metrics=sum(sum('MetricStat' in m for m in a['Metrics']) if 'Metrics' in a else 1 for a in alarms),
            dashboards=int(template.default(it, 'WithDashboard') == 'true'),
            metrics=len(set(re.findall(r'\["Regain", "(\w+)"', ''.join(dashboards)))),
        )

    def provisioned(self, minimum, utilization):
        """With provisioned capacity instead, used to this share: a unit costs as much as its share of an hour."""
        return dataclasses.replace(
            self,
            write_unit=WRITE_UNIT_HOUR / 3600 / utilization,
            read_unit=READ_UNIT_HOUR / 3600 / utilization,
            alarm_metrics=self.alarm_metrics + SCALING_ALARMS,
            idle_units=minimum,
        )

    def idle(self):
        """Dollars a month of a stack that nobody calls: a metric costs only while something is reported to it."""
        table = self.idle_units * (WRITE_UNIT_HOUR + READ_UNIT_HOUR) * MONTH_SECONDS / 3600
        return self.secrets * SECRET + self.alarm_metrics * ALARM_METRIC + self.dashboards * DASHBOARD + table

    def in_use(self):
        """Dollars a month that do not depend on how many calls there are."""
        return self.idle() + self.metrics * METRIC

    def mail(self):
        """A mail request that is mailed, alone in its batch."""
        return Call([('deliver-mail', self.floor)], units.writes('mail'), units.READS['mail'], gateway=0, mails=1, audit=1)

    event = Call([('announce', units.MILLISECONDS['event'])], writes=0, reads=units.READS['event'], gateway=0, events=1)

    def unmailed(self):
        """A mail request of an address that nobody has: the same writes, and a lookup that finds nothing."""
        return Call([('deliver-mail', self.floor)], units.writes('mail'), units.READS['mail'] - 1, gateway=0, audit=1)

    request = Call.of('request', 'forgot-password')
    proof = Call.of('proof', 'forgot-password-verify-otp')
    wrong = Call.of('wrong', 'forgot-password-verify-otp')
    password = Call.of('password', 'forgot-password-set-password', audit=2)
    remembered = Call([('forgot-password', 2)], writes=0, reads=0, audit=1)

    def recovery(self):
        it = self.request + self.mail() + self.proof + self.password + self.mail()
        return it + self.event if self.tells_events else it

    def million(self, call, per_second):
        """Dollars for a million of these calls, as (what, amount, dollars), if so many come each second."""
        runs = call.runs + [('audit-trail', AUDIT_MS)] * call.audit
        own = len(call.runs)
        seconds = {}
        for function, ms in runs:
            size = self.memory[function]
            seconds[size] = seconds.get(size, 0) + size / 1024 * (ms / 1000 + START_SHARE * units.COLD_START_MILLISECONDS / 1000)
        log_kb = call.gateway * ACCESS_KB + own * (METRICS_KB + self.platform_lines * PLATFORM_KB) + call.audit * AUDIT_KB
        # Nothing traces before Lambda does, so Lambda decides for each run: the first of a second, and 5 percent of the others.
        traces = 0
        for function in {it for it, _ in runs}:
            count = sum(it == function for it, _ in runs)
            mean = count * per_second
            first = 1 - math.exp(-mean)
            traces += count * (first + 0.05 * (mean - first)) / mean
        traces *= self.traced
        return [
            ('write units', f'{call.writes}', call.writes * self.write_unit * MILLION),
            ('read units', f'{call.reads}', call.reads * self.read_unit * MILLION),
            *([('events', f'{call.events}', call.events * EVENT * MILLION)] if call.events else []),
            ('gateway calls', f'{call.gateway}', call.gateway * GATEWAY_CALL * MILLION),
            ('Lambda calls', f'{own} + {call.audit} of audit-trail', len(runs) * LAMBDA_CALL * MILLION),
            *(
                (f'time at {size} MB', f'{it:.3f} GB-s', it * LAMBDA_GB_SECOND * MILLION)
                for size, it in sorted(seconds.items())
            ),
            ('log lines', f'{log_kb:.1f} KB', log_kb * LOG_GB * MILLION / 1e6),
            ('audit trail', f'{call.audit * AUDIT_KB:.1f} KB', call.audit * AUDIT_KB * self.audit_log_gb * MILLION / 1e6),
            ('traces', f'{traces:.1f}', traces * TRACE * MILLION),
            ('answers', f'{call.gateway * ANSWER_KB:.1f} KB', call.gateway * ANSWER_KB * GB_OUT * MILLION / 1e6),
        ]

    def dollars(self, call, per_second=MILLION / MONTH_SECONDS):
        """Dollars for a million of these calls without their mails, by default spread evenly over a month."""
        return sum(it[2] for it in self.million(call, per_second))


SOURCES = {
    'write units': 'request {w[request]}, right code {w[proof]}, password {w[password]}, two mails of {w[mail]}: **measured** by a test, '
    'see [architecture](architecture.md#what-a-call-costs)',
    'read units': 'right code {r[proof]}, password {r[password]}, two mails of {r[mail]}, event {r[event]}: the reads among these round trips',
    'events': 'the flow',
    'gateway calls': 'the flow; twice as many from a page of another origin, which sends preflights',
    'Lambda calls': 'the flow, with each mail, the event and each audit record alone in its batch',
    'time of the hash': '**assumed**: {ms[password]} ms for a password, of which the hash takes 16 to 20 (**measured** on one core of a build machine)',
    'time': '**assumed**: {ms[request]} ms for a request, {ms[proof]} for a right code, {ms[event]} for the event, {audit_ms} for an audit record; a batch of mails takes {floor} ms '
    '**by setting**; {starts} of the runs start cold, 0.3 s each',
    'log lines': '**assumed**: 0.45 KB a line of the access log, and for each run 0.4 KB of Lambda\'s lines, 0.4 KB of metrics; 0.4 KB an audit record',
    'audit trail': '**assumed**: the same records again, as audit-trail writes them',
    'traces': 'Lambda traces the first run of each function in each second, and 5 % of the others',
    'answers': '**assumed**: 0.8 KB an answer',
}


def source(what, stack):
    key = what
    if what.startswith('time'):
        key = 'time of the hash' if f'{stack.memory["forgot-password-set-password"]} MB' in what else 'time'
    writes = {call: units.writes(call) for call in units.WRITES}
    return SOURCES[key].format(
        w=writes, r=units.READS, ms=units.MILLISECONDS, audit_ms=AUDIT_MS, floor=stack.floor, starts=f'{100 * START_SHARE:.1f} %'
    )


def duration(seconds):
    return f'{seconds / 3600:.1f} hours' if seconds < 2 * 86400 else f'{seconds / 86400:.1f} days'


def text(it):
    stack = Stack.of(it)
    recovery = stack.recovery()
    rows = stack.million(recovery, MILLION / MONTH_SECONDS)
    mail = recovery.mails * SES_MAIL * MILLION
    without = sum(row[2] for row in rows)
    out = [
        f'A million recoveries a month cost about **{mail + without:.0f} dollars**: {mail:.0f} for mail, and {without:.0f} for everything else. A recovery here goes',
        'by auth/v1: a request, a right code, a password, the two mails of it, and the event. A stack that is in use costs '
        f'**{stack.in_use():.2f} dollars a month** besides, and a',
        f'stack that nobody calls costs **{stack.idle():.2f}**.',
        '',
        '| for one recovery | amount | source | dollars a million |',
        '|---|---|---|---|',
        f'| mails | {recovery.mails} | the flow | {mail:.2f} |',
        *(f'| {what} | {amount} | {source(what, stack)} | {dollars:.2f} |' for what, amount, dollars in rows),
        f'| **all, without mail** | | | **{without:.2f}** |',
        f'| **all** | | | **{mail + without:.2f}** |',
        '',
        '| each month | number | dollars | when nobody calls |',
        '|---|---|---|---|',
        f'| secrets | {stack.secrets} | {stack.secrets * SECRET:.2f} | {stack.secrets * SECRET:.2f} |',
        f'| metrics that alarms read | {stack.alarm_metrics} | {stack.alarm_metrics * ALARM_METRIC:.2f} | {stack.alarm_metrics * ALARM_METRIC:.2f} |',
        f'| dashboard | {stack.dashboards} | {stack.dashboards * DASHBOARD:.2f} | {stack.dashboards * DASHBOARD:.2f} |',
        f'| metrics of Regain | {stack.metrics} | {stack.metrics * METRIC:.2f} | 0.00, as nothing is reported |',
        f'| **all** | | **{stack.in_use():.2f}** | **{stack.idle():.2f}** |',
        '',
        'A million of other calls cost, without mail:',
        '',
        '| call | write units | dollars |',
        '|---|---|---|',
    ]
    for what, call in [
        ('a code for an address that nobody has', stack.request + stack.unmailed()),
        ('a wrong guess', stack.wrong),
        ('a request that a throttle refuses, from an instance that remembers it', stack.remembered),
    ]:
        out.append(f'| {what} | {call.writes} | {stack.dollars(call):.2f} |')
    out += [
        '| a call that the gateway refuses (`RequestsPerSecond`, `PasswordsPerSecond`) | 0 | 0.00 |',
        '',
        '**What parameters add or save.**',
        '',
        '| parameter | adds to a million recoveries | adds each month | what you get, or give up |',
        '|---|---|---|---|',
    ]
    traced = dataclasses.replace(stack, traced=True)
    shown = dataclasses.replace(stack, dashboards=1)
    silent = dataclasses.replace(stack, tells_events=False)
    utilization = it['Resources']['TableWriteScaling']['Properties']['TargetTrackingScalingPolicyConfiguration']['TargetValue'] / 100
    steady = stack.provisioned(5, utilization)
    for what, changed, gain in [
        ('`Tracing=Active`', traced, 'X-Ray shows where a call waits'),
        ('`WithDashboard=true`', shown, 'all metrics on one page; the first three dashboards of an account are free'),
        ('`EventBus=none`', silent, 'no events about changed passwords'),
        ('`TableMinimumUnits=5`', steady, 'a sudden burst is throttled until the capacity has followed; eight alarms of Application Auto Scaling are in the price'),
    ]:
        added, monthly = changed.dollars(changed.recovery()) - without, changed.idle() - stack.idle()
        out.append(f'| {what} | {added:.2f} | {monthly:.2f} | {gain} |')
    at_once = traced.dollars(recovery, per_second=10) - stack.dollars(recovery, per_second=10)
    lean = dataclasses.replace(steady, tells_events=False)
    out += [
        '',
        f'Traces cost less for each call the more calls there are: at 10 recoveries a second, they add {at_once:.2f} to a million.',
        '',
        f'With `TableMinimumUnits=5`, a million recoveries without mail cost **{steady.dollars(recovery):.2f} dollars** under a steady load: Application Auto Scaling',
        f'keeps {100 * utilization:.0f} % of the capacity in use. With `EventBus=none` as well, they cost {lean.dollars(lean.recovery()):.2f}.',
        '',
        '**What two changes of template.yaml save.**',
        '',
        '| change | saves a million recoveries | price |',
        '|---|---|---|',
    ]
    terse = dataclasses.replace(stack, platform_lines=False)
    infrequent = dataclasses.replace(stack, audit_log_gb=LOG_GB_INFREQUENT)
    for what, changed, price in [
        ('`LogFormat: JSON`, `SystemLogLevel: WARN` for all functions', terse, 'no START, END and REPORT lines, so no billed time and memory of each run in the logs'),
        ('`LogGroupClass: INFREQUENT_ACCESS` for AuditLogs', infrequent, 'no live tail and no filters on the trail; only for a new log group'),
    ]:
        out.append(f'| {what} | {without - changed.dollars(recovery):.2f} | {price} |')
    out += [
        '',
        '**A million recoveries against the throttles.** At the default settings a million recoveries take at least this long:',
        '',
        '| limit | default | recoveries a second | a million take |',
        '|---|---|---|---|',
    ]
    for what, value, rate in [
        ('SES, sending rate, two mails each', '14 a second, a usual first grant', 14 / recovery.mails),
        ('`PasswordsPerSecond`', template.default(it, 'PasswordsPerSecond'), template.default(it, 'PasswordsPerSecond')),
        ('`RequestsPerSecond`, for each route', template.default(it, 'RequestsPerSecond'), template.default(it, 'RequestsPerSecond')),
        ('DynamoDB, a new table on demand', '4000 write units a second', 4000 / recovery.writes),
    ]:
        out.append(f'| {what} | {value} | {rate:.0f} | {duration(MILLION / rate)} |')
    calls = template.default(it, 'RequestsPerSecond')
    storm = stack.dollars(stack.request + stack.unmailed(), calls) * calls * 86400 / MILLION
    per_caller = template.default(it, 'IpRequestsPerHour') * 24
    out += [
        '',
        f'The most that a storm can cost: {calls} requests a second for a whole day, each from a network that still has requests left (a network has {per_caller} a',
        f'day) and each for another address that nobody has, cost {storm:.0f} dollars. Requests beyond `RequestsPerSecond` cost nothing.',
    ]
    return '\n'.join(out)


parser = argparse.ArgumentParser(prog='scripts/cost')
parser.add_argument('--check', action='store_true', help='fail if docs/operations.md does not have these figures')
page.block(template.ROOT / 'docs/operations.md', 'scripts/cost', text(template.whole()), parser.parse_args().check)
