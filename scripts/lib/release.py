"""The parts of `scripts/release` that need more than a shell: `release.py version`, `notes [--dated]`, `sboms TO`, `archive FOLDER`.

What it writes depends on the tree alone: it holds no time, no path of the machine, and nothing random.
"""

import gzip
import json
import pathlib
import re
import sys
import tarfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def version():
    """Prints the version, which crates and packages have to share."""
    found = {'Cargo.toml': tomllib.loads((ROOT / 'Cargo.toml').read_text())['workspace']['package']['version']}
    for package in ('web/client/package.json', 'deploy/cdk/package.json'):
        found[package] = json.loads((ROOT / package).read_text())['version']
    if len(set(found.values())) > 1:
        sys.exit(f'not one version: {found}')
    print(found['Cargo.toml'])


def notes(dated=None):
    """Prints the newest section of CHANGELOG.md. With --dated, it must have a date."""
    title, section = re.search(r'^## ([^\n]+)\n(.*?)(?=^## |\Z)', (ROOT / 'CHANGELOG.md').read_text(), re.M | re.S).groups()
    number = tomllib.loads((ROOT / 'Cargo.toml').read_text())['workspace']['package']['version']
    if not re.fullmatch(rf'{re.escape(number)} \((\d{{4}}-\d\d-\d\d{"" if dated else "|unreleased"})\)', title):
        sys.exit(f'CHANGELOG.md begins with "## {title}", not with {number} and {"a date" if dated else "a date, or (unreleased)"}')
    print(section.strip())


def sboms(to):
    """Copies target/sbom without what differs from run to run: the random number, the time, the folder, the order."""
    to = pathlib.Path(to)
    to.mkdir(parents=True, exist_ok=True)
    for file in sorted((ROOT / 'target/sbom').glob('*.cdx.json')):
        text = file.read_text()
        name = file.name.removesuffix('.cdx.json')
        [folder] = set(re.findall(rf'path\+file://([^"#]*)/functions/{name}#', text))
        sbom = json.loads(text.replace(folder, '/regain'))
        del sbom['serialNumber'], sbom['metadata']['timestamp']
        sbom['components'].sort(key=lambda it: it['bom-ref'])
        sbom['dependencies'].sort(key=lambda it: it['ref'])
        for it in sbom['dependencies']:
            it.get('dependsOn', []).sort()
        (to / file.name).write_text(json.dumps(sbom, indent=1) + '\n')


def archive(folder):
    """Packs a folder beside itself as FOLDER.tar.gz, with everything owned by nobody in 1980."""
    folder = pathlib.Path(folder)
    with open(f'{folder}.tar.gz', 'wb') as file, gzip.GzipFile('', 'wb', 9, file, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode='w') as tar:
        for path in sorted(it for it in folder.rglob('*') if it.is_file()):
            entry = tarfile.TarInfo(str(path.relative_to(folder.parent)))
            entry.size, entry.mtime, entry.mode = path.stat().st_size, 315532800, 0o644
            with path.open('rb') as content:
                tar.addfile(entry, content)


if __name__ == '__main__':
    {'version': version, 'notes': notes, 'sboms': sboms, 'archive': archive}[sys.argv[1]](*sys.argv[2:])
