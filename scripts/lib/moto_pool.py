"""moto's emulator of Cognito, with the parts that it lacks: `moto_pool.py` serves it at a free port, and prints the port.

On AWS, a new password moves the time of the last change, a pool may remember passwords, users may come from another identity provider,
and `AdminGetUser` takes the `sub` of a user as its name. `POST /fault {"call", "times"}` lets the next calls of an operation fail."""
import json, sys
from moto.cognitoidp import models
from moto.core.utils import utcnow
from moto.core.exceptions import JsonRESTError
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

models.CognitoIdpUserPool._find = models.CognitoIdpUserPool._get_user
set_password, sign_out = models.CognitoIdpBackend.admin_set_user_password, models.CognitoIdpBackend.admin_user_global_sign_out
faults = {}


def fail(call):
    if faults.get(call, 0) > 0:
        faults[call] -= 1
        raise JsonRESTError('NotAuthorizedException', 'told to fail')


def get_user(self, username):
    return self._find(username) or next((it for it in self.users.values() if it.id == username), None)


def admin_set_user_password(self, user_pool_id, username, password, permanent):
    fail('before AdminSetUserPassword')
    user = self.admin_get_user(user_pool_id, username)
    history = user.__dict__.setdefault('history', [])
    if self.describe_user_pool(user_pool_id).name == 'remembers' and password in history:
        raise JsonRESTError('PasswordHistoryPolicyViolationException', 'Password has previously been used.')
    set_password(self, user_pool_id, username, password, permanent)
    history.append(password)
    user.last_modified_date = utcnow()
    fail('after AdminSetUserPassword')


def admin_user_global_sign_out(self, user_pool_id, username):
    fail('AdminUserGlobalSignOut')
    sign_out(self, user_pool_id, username)


models.CognitoIdpUserPool._get_user = get_user
models.CognitoIdpBackend.admin_set_user_password = admin_set_user_password
models.CognitoIdpBackend.admin_user_global_sign_out = admin_user_global_sign_out
moto = DomainDispatcherApplication(create_backend_app)


def serve(environ, start_response):
    if environ['PATH_INFO'] not in ('/fault', '/state'):
        return moto(environ, start_response)
    told = json.loads(environ['wsgi.input'].read(int(environ['CONTENT_LENGTH'])))
    if environ['PATH_INFO'] == '/fault':
        faults[told['call']] = told['times']
    else:
        user = models.cognitoidp_backends['123456789012']['us-east-1'].user_pools[told['pool']].users[told['user']]
        user.status = told['state']
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [b'{}']


server = make_server('127.0.0.1', 0, serve, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
