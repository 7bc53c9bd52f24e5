-- A database as the first version made and left it: frozen, whatever later ones do.
CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL);
INSERT INTO seaql_migrations VALUES ('m0001_items', 1);
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, description TEXT, status TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL, rev INTEGER NOT NULL
) STRICT;
CREATE INDEX items_status ON items (status, id);
CREATE INDEX items_rev ON items (rev);
CREATE VIRTUAL TABLE items_search USING fts5 (title, description, tokenize = 'trigram');
CREATE TABLE search_state (id INTEGER PRIMARY KEY CHECK (id = 1), rev INTEGER NOT NULL) STRICT;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, item_id INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    run_at INTEGER NOT NULL, result TEXT, error TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_item ON jobs (item_id, id);
CREATE INDEX jobs_open ON jobs (state, run_at) WHERE state IN ('queued', 'running');
CREATE TABLE answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, location TEXT, etag TEXT, body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_created ON answers (created_at);
INSERT INTO items WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 50)
    SELECT n, 'Straße ' || n, NULL, 'active', 1, 1, 1, n FROM n;
INSERT INTO items_search (rowid, title, description) SELECT id, title, '' FROM items;
INSERT INTO search_state (id, rev) VALUES (1, 50);
INSERT INTO jobs VALUES (7, 3, 'failed', 5, 1, NULL, 'no luck', 1, 1);
