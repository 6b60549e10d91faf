"""Recovers at a stack that runs on the emulator, by each API: `recover.py API_URL ADDRESS --table TABLE`, or `--store FILE`.

The user lives in the stack's table, or in the SQLite file of examples/user-store/store.py. Each recovery must mail a notice, and tell
EventBridge of the changed password: a rule passes the events to a queue here. The mails are what the functions gave the emulator's SES. It
fills in variables, but knows none of Handlebars' blocks.
"""

import argparse
import contextlib
import json
import re
import sqlite3
import time
import urllib.error
import urllib.request

import boto3

parser = argparse.ArgumentParser(prog='scripts/lib/recover.py')
parser.add_argument('api')
parser.add_argument('address')
parser.add_argument('--table')
parser.add_argument('--store')
options = parser.parse_args()
api, address = options.api, options.address
dynamodb = boto3.client('dynamodb')
sqs = boto3.client('sqs')
eventbridge = boto3.client('events')
emulator = dynamodb.meta.endpoint_url


def post(path, **body):
    """The status and the JSON of an answer."""
    request = urllib.request.Request(api + path, json.dumps(body).encode(), {'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.load(answer)


def answered(path, **body):
    """The JSON of an answer that must be 200."""
    status, answer = post(path, **body)
    assert status == 200, f'{path}: {status} {answer}'
    return answer


def user_of_table():
    """The id, the credentials version and the hash of the user in the table."""
    id = dynamodb.get_item(TableName=options.table, Key={'pk': {'S': f'EMAIL#{address}'}})['Item']['userId']['S']
    item = dynamodb.get_item(TableName=options.table, Key={'pk': {'S': f'USER#{id}'}})['Item']
    return id, int(item['credentialsVersion']['N']), item['passwordHash']['S']


def user_of_store():
    """The same of the user in the store."""
    with contextlib.closing(sqlite3.connect(options.store)) as users:
        return users.execute('SELECT id, version, password_hash FROM users WHERE address = ?', (address,)).fetchone()


user = user_of_table if options.table else user_of_store


def mails():
    """The mails to the user, the oldest first."""
    with urllib.request.urlopen(f'{emulator}/_ministack/ses/messages') as answer:
        sent = [mail for of_account in json.load(answer)['messages'].values() for mail in of_account]
    return [mail for mail in sent if address in mail['To']]


def mail(number):
    """The text of a mail to the user, as soon as it was sent."""
    end = time.monotonic() + 60
    while len(found := mails()) <= number:
        assert time.monotonic() < end, f'mail {number} was not sent within a minute'
        time.sleep(0.2)
    return found[number]['BodyText']


def code_of(text):
    """The code of a mail, which is alone on its line."""
    (code,) = re.findall(r'^\s*([0-9]{6})\s*$', text, re.MULTILINE)
    return code


def token_of(text):
    """The token of the link of a mail."""
    (token,) = re.findall(r'/recover#t=([a-p]{96})\b', text)
    return token


def check_notice(text):
    """Fails unless the mail says that the password was changed."""
    assert re.search(r'password of your .* was changed|[Kk]ata sandi .* diubah', text), text
    assert not re.search(r'^\s*[0-9]{6}\s*$|#t=', text, re.MULTILINE), text


def hear():
    """A queue that gets the events of changed passwords."""
    queue = sqs.create_queue(QueueName='password-changed')['QueueUrl']
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    eventbridge.put_rule(Name='password-changed', EventPattern=json.dumps({'source': ['regain'], 'detail-type': ['Password Changed']}))
    eventbridge.put_targets(Rule='password-changed', Targets=[{'Id': 'queue', 'Arn': arn}])
    return queue


def check_event(queue, means, protocol, user):
    """Fails unless the next event is of that recovery, and says nothing of the address."""
    end = time.monotonic() + 60
    while not (found := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get('Messages')):
        assert time.monotonic() < end, 'no event was published within a minute'
    (message,) = found
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message['ReceiptHandle'])
    event = json.loads(message['Body'])
    detail = event['detail']
    found = [detail[name] for name in ('version', 'user', 'credentialsVersion', 'means', 'protocol')]
    id, version, _ = user
    expected = [1, id, str(version), means, protocol]
    assert found == expected, f'{found} is not {expected}'
    assert address not in message['Body'], message['Body']


def changed(before):
    """Fails unless the password was changed since the user was read, and returns the user."""
    after = user()
    assert after[2] != before[2], 'the password is as before'
    assert after[1] == before[1] + 1, 'the credentials version is not the next one'
    return after


before = user()
queue = hear()

session = answered('/auth/v1/forgot-password', email=address)['data']
code = code_of(mail(0))
status, _ = post('/auth/v1/forgot-password/verify-otp', session_id=session, otp=f'{(int(code) + 1) % 1000000:06}')
assert status == 401, f'a wrong code: {status}'
token = answered('/auth/v1/forgot-password/verify-otp', session_id=session, otp=code)['data']
answered('/auth/v1/forgot-password/set-password', token=token, password='a first password that nobody had')
check_notice(mail(1))
before = changed(before)
check_event(queue, 'token', 'auth-v1', before)
print('recovered by auth/v1: code, token, password, notice, event')

status, answer = post('/auth/v1/forgot-password/set-password', token=token, password='the same token cannot be used again')
assert (status, answer['error']) == (410, 'session_expired'), f'a used token: {status} {answer}'

started = answered('/directory/api/users/resend', email=address)['data']
code = code_of(mail(2))
set = {'id': started['id'], 'session': started['session'], 'otp': code, 'password': 'a second password that nobody had'}
found = answered('/directory/api/users/setPassword', **set)['data']
assert found['email'] == address, found
check_notice(mail(3))
before = changed(before)
check_event(queue, 'code', 'directory', before)
print('recovered by the Directory API: code and password at once, notice, event')

answered('/auth/v1/forgot-password', email=address)
token = token_of(mail(4))
answered('/auth/v1/forgot-password/set-password', token=token, password='a third password that nobody had')
check_notice(mail(5))
check_event(queue, 'link', 'auth-v1', changed(before))
print('recovered by the link of a mail: password, notice, event')
