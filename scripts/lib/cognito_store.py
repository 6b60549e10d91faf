"""Tests adapters/cognito on emulators of Cognito and DynamoDB: `cognito_store.py PROGRAM DYNAMODB`. See scripts/test-adapters."""
import subprocess, sys, time
import boto3
from botocore.exceptions import ClientError
import user_stores

program, dynamodb_url = sys.argv[1:3]
here = user_stores.ROOT / 'scripts/lib'
moto = subprocess.Popen([sys.executable, '-B', str(here / 'moto_pool.py')], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
cognito_url = 'http://127.0.0.1:' + moto.stdout.readline().strip()
given = {'region_name': 'us-east-1', 'aws_access_key_id': 'test', 'aws_secret_access_key': 'test'}
cognito = boto3.client('cognito-idp', endpoint_url=cognito_url, **given)
dynamodb = boto3.client('dynamodb', endpoint_url=dynamodb_url, **given)
functions = []


class Pool:
    """A pool with the users of the cases, a table of keys, and the adapter over both."""

    def __init__(self, name, email_is_name):
        policy = {'PasswordPolicy': {'MinimumLength': 8, 'RequireUppercase': True, 'RequireLowercase': True, 'RequireNumbers': True, 'RequireSymbols': False}}
        form = {'UsernameAttributes': ['email']} if email_is_name else {}
        self.name, self.email_is_name = name, email_is_name
        self.id = cognito.create_user_pool(PoolName=name, Policies=policy, **form)['UserPool']['Id']
        self.client = cognito.create_user_pool_client(UserPoolId=self.id, ClientName='app', ExplicitAuthFlows=['ALLOW_USER_PASSWORD_AUTH'])['UserPoolClient']['ClientId']
        self.table = 'keys-' + self.id
        dynamodb.create_table(TableName=self.table, BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
                              AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}])
        self.store = user_stores.Function(program, {'USER_POOL_ID': self.id, 'MEMORY_TABLE': self.table,
            'AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER': cognito_url, 'AWS_ENDPOINT_URL_DYNAMODB': dynamodb_url})
        functions.append(self.store)

    def add(self, address, password=None, status='active', emailVerified=True, name=None):
        """A user with that password for good, or without one a user who was invited and has never signed in."""
        name = address if self.email_is_name else name or 'name-of-' + address.split('@')[0]
        attributes = [{'Name': 'email', 'Value': address}, {'Name': 'email_verified', 'Value': str(emailVerified).lower()}]
        user = cognito.admin_create_user(UserPoolId=self.id, Username=name, UserAttributes=attributes, TemporaryPassword='Temporary-1', MessageAction='SUPPRESS')['User']
        if password:
            cognito.admin_set_user_password(UserPoolId=self.id, Username=user['Username'], Password=password, Permanent=True)
        if status == 'blocked':
            cognito.admin_disable_user(UserPoolId=self.id, Username=user['Username'])
        return user['Username'], next(it['Value'] for it in user['Attributes'] if it['Name'] == 'sub')

    def name_of(self, address):
        users = cognito.list_users(UserPoolId=self.id)['Users']
        return next(it['Username'] for it in users if {'Name': 'email', 'Value': address} in it['Attributes'])

    def signs_in(self, address, password):
        try:
            answer = self.sign_in(self.name_of(address), password)
            return 'AuthenticationResult' in answer
        except ClientError as error:
            assert error.response['Error']['Code'] in ('NotAuthorizedException', 'UserNotConfirmedException'), error
            return False

    def sign_in(self, name, password):
        return cognito.initiate_auth(ClientId=self.client, AuthFlow='USER_PASSWORD_AUTH', AuthParameters={'USERNAME': name, 'PASSWORD': password})

    def find(self, address):
        return self.store.ask({'version': 1, 'operation': 'find', 'address': address})['user']

    def set(self, found, key, password):
        question = {'operation': 'set-password', 'id': found['id'], 'address': found['email'].lower(), 'credentialsVersion': found['credentialsVersion'],
                    'key': key, 'password': password, 'emailProven': True}
        return user_stores.ask(self.store, question, True, {})

    def wait_for_lease(self, id):
        """Waits until the lease of work that was cut off is over."""
        item = dynamodb.get_item(TableName=self.table, Key={'id': {'S': id}}, ConsistentRead=True)['Item']
        while int(item['until']['N']) >= time.time() * 1000:
            time.sleep(0.1)

    def state(self, name, state):
        user_stores.call(cognito_url + '/state', {'pool': self.id, 'user': name, 'state': state})


def fault(call, times=1):
    user_stores.call(cognito_url + '/fault', {'call': call, 'times': times})


def conform():
    for name, email_is_name in [('names', False), ('addresses', True)]:
        pool = Pool(name, email_is_name)
        for user in user_stores.CASES['users']:
            pool.add(**user)
        # An address that is not verified finds only users who were invited.
        assert pool.find('noa@example.com') is None
        pool.state(pool.name_of('noa@example.com'), 'FORCE_CHANGE_PASSWORD')
        user_stores.run_cases('cognito, pool of ' + name, pool.store, True, pool.signs_in)
        pool.add('raced@example.com', 'Raced-first-password-1')
        winner = user_stores.race(pool.store, True, 'raced@example.com', 'Raced-password-%02d-of-many')
        assert pool.signs_in('raced@example.com', winner)
        user_stores.same_key(pool.store, True, 'raced@example.com', 'Same-password-of-a-key-1')
        assert pool.signs_in('raced@example.com', 'Same-password-of-a-key-1')


def states():
    pool = Pool('states', False)
    expected = {'CONFIRMED': 'active', 'RESET_REQUIRED': 'active', 'FORCE_CHANGE_PASSWORD': 'active', 'UNCONFIRMED': 'unconfirmed',
                'ARCHIVED': 'archived', 'COMPROMISED': 'compromised', 'UNKNOWN': 'unknown', 'EXTERNAL_PROVIDER': None}
    for state, status in expected.items():
        address = state.lower().replace('_', '-') + '@example.com'
        name, sub = pool.add(address, 'The-first-password-1')
        pool.state(name, state)
        found = pool.find(address)
        assert (found and found['status']) == status, (state, found)
        assert found is None or found['id'] == sub
    # A recovery completes an invitation.
    invited, _ = pool.add('invited@example.com', emailVerified=False)
    assert pool.set(pool.find('invited@example.com'), '#1', 'Chosen-by-the-guest-1')['outcome'] == 'done'
    user = cognito.admin_get_user(UserPoolId=pool.id, Username=invited)
    assert user['UserStatus'] == 'CONFIRMED' and {'Name': 'email_verified', 'Value': 'true'} in user['UserAttributes'], user
    # One verified user of an address goes before one who is not, and two lead to nobody.
    _, sub = pool.add('twice@example.com', 'The-first-password-1', name='first')
    pool.add('twice@example.com', 'The-first-password-1', emailVerified=False, name='second')
    assert pool.find('twice@example.com')['id'] == sub
    pool.add('twice@example.com', 'The-first-password-1', name='third')
    assert pool.find('twice@example.com') is None
    # Nobody is found by a name that looks like an address, or like an id.
    pool.add('eve@example.com', 'The-first-password-1', name='victim@example.com')
    assert pool.find('victim@example.com') is None
    pool.add('mallory@example.com', 'The-first-password-1', name='4fa1c9d0-0000-4000-8000-000000000001')
    assert pool.store.ask({'version': 1, 'operation': 'find', 'id': '4fa1c9d0-0000-4000-8000-000000000001'}) == {'user': None}
    print('cognito: users in every state are found as the page says')


def refusals():
    pool = Pool('remembers', False)
    name, _ = pool.add('ana@example.com', 'Anas-first-password-1')
    session = pool.sign_in(name, 'Anas-first-password-1')['AuthenticationResult']
    for number, (password, reason) in enumerate([('alllowercase', 'password_policy'), (' Outer-space-1', 'outer_space'), ('Anas-first-password-1', 'reused')]):
        answer = pool.set(pool.find('ana@example.com'), '#%d' % number, password)
        assert answer == {'outcome': 'refused', 'reasons': [reason]}, answer
    cognito.get_user(AccessToken=session['AccessToken'])
    assert pool.set(pool.find('ana@example.com'), '#0', 'Anas-second-password-2')['outcome'] == 'done'
    try:
        cognito.get_user(AccessToken=session['AccessToken'])
        raise AssertionError('the session did not end')
    except ClientError as error:
        assert error.response['Error']['Code'] == 'NotAuthorizedException'
    print('cognito: the pool refuses by its policy, and sessions end')


def faults():
    """The function fails or dies between the password and the memory of it. Passwords that the pool remembers are no trap."""
    pool = Pool('remembers', False)
    pool.add('ana@example.com', 'Anas-first-password-1')
    for number, call in enumerate(['before AdminSetUserPassword', 'after AdminSetUserPassword', 'AdminUserGlobalSignOut']):
        found, password = pool.find('ana@example.com'), 'A-password-of-number-%d' % number
        fault(call)
        # Sign-out comes after the password: no answer must say that nothing was changed.
        assert pool.set(found, '#%d' % number, password) == ('lost' if number == 2 else 'error'), call
        assert pool.signs_in('ana@example.com', password) == (number > 0), call
        for _ in range(2):
            again = pool.set(found, '#%d' % number, password)
            assert again['outcome'] == 'done', (call, again)
        assert pool.signs_in('ana@example.com', password)
        assert pool.find('ana@example.com')['credentialsVersion'] == again['user']['credentialsVersion'] != found['credentialsVersion']
    # A change by somebody else, later than the work that was cut off, is kept.
    found = pool.find('ana@example.com')
    fault('before AdminSetUserPassword')
    assert pool.set(found, '#9', 'Anas-late-password-1') == 'error'
    pool.wait_for_lease(found['id'])
    cognito.admin_set_user_password(UserPoolId=pool.id, Username=pool.name_of('ana@example.com'), Password='Anas-own-choice-1', Permanent=True)
    assert pool.set(found, '#9', 'Anas-late-password-1') == {'outcome': 'changed'}
    assert pool.signs_in('ana@example.com', 'Anas-own-choice-1')
    # Another key takes over what was cut off.
    fault('before AdminSetUserPassword')
    found = pool.find('ana@example.com')
    assert pool.set(found, '#10', 'Anas-lost-password-1') == 'error'
    pool.wait_for_lease(found['id'])
    assert pool.set(found, '#11', 'Anas-next-password-1')['outcome'] == 'done'
    assert pool.set(found, '#10', 'Anas-lost-password-1') == {'outcome': 'changed'}
    print('cognito: work that was cut off goes on, and undoes nothing')


def recoveries():
    pool = Pool('addresses', True)
    address = 'ana@example.com'
    pool.add(address, 'Anas-first-password-1')
    pool.add('noa@example.com', emailVerified=False)
    pool.add('bob@example.com', 'Bobs-first-password-1', 'blocked')
    with user_stores.Service(pool.store.url, plain=True) as service:
        user_stores.recover(service, address, 'Anas-new-password-2')
        assert pool.signs_in(address, 'Anas-new-password-2')
        user_stores.recover_by_directory(service, 'noa@example.com', 'Noas-new-password-2')
        assert pool.signs_in('noa@example.com', 'Noas-new-password-2')
        status, refused = user_stores.prove(service, 'bob@example.com')
        assert (status, refused['error']) == (403, 'user_blocked'), refused
        token = user_stores.prove(service, address)[1]['data']
        status, refused = user_stores.set_password(service, token, 'all in lower case here')
        assert (status, refused['reasons']) == (422, ['password_policy']), refused
        assert user_stores.set_password(service, token, 'Anas-third-password-3')[0] == 200
        assert pool.signs_in(address, 'Anas-third-password-3')
    print('cognito: recoveries work')


try:
    conform()
    states()
    refusals()
    faults()
    if '--alone' not in sys.argv:
        recoveries()
finally:
    for function in functions:
        function.end()
    moto.kill()
    moto.wait()
