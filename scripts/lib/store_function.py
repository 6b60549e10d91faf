"""Makes a function of examples/user-store/store.py at an emulator of AWS, with some users: `store_function.py FILE ADDRESS…`.

The users are in the SQLite FILE, as the emulator runs its functions on this machine. It prints the function's ARN.
"""

import contextlib
import io
import json
import pathlib
import sqlite3
import sys
import zipfile

import boto3

SOURCE = pathlib.Path('examples/user-store/store.py')
functions = boto3.client('lambda')


def zipped():
    """A zip with the store as `store.py`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.write(SOURCE, 'store.py')
    return file.getvalue()


def main():
    file, *addresses = sys.argv[1:]
    arn = functions.create_function(
        FunctionName='user-store',
        Runtime='python3.13',
        Handler='store.handler',
        Role='arn:aws:iam::000000000000:role/user-store',
        Code={'ZipFile': zipped()},
        Environment={'Variables': {'USERS': file}},
    )['FunctionArn']
    # The first call makes the tables.
    answer = functions.invoke(FunctionName=arn, Payload=json.dumps({'version': 1, 'operation': 'find', 'id': 'nobody'}))
    said = json.load(answer['Payload'])
    assert said == {'user': None}, said
    with contextlib.closing(sqlite3.connect(file)) as users:
        for number, address in enumerate(addresses, 1):
            users.execute('INSERT INTO users (id, address, email) VALUES (?, ?, ?)', (str(number), address, address))
        users.commit()
    print(arn)


main()
