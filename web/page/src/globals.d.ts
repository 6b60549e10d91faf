/** What the build puts into the script: each language with its file. */
declare const TEXTS: Readonly<Record<string, string>>;
