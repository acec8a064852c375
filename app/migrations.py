"""The database's history: numbered steps, each applied once and never edited. A change is a new step at the end."""

from sqlite_utils import Database, Migrations

migrations = Migrations("unabridged")


@migrations()
def m001_library(db: Database) -> None:
    db.executescript("""
        CREATE TABLE documents (
            id TEXT PRIMARY KEY,          -- sha256 of the file's bytes
            name TEXT NOT NULL,
            media_type TEXT NOT NULL,
            text TEXT NOT NULL,
            layout BLOB NOT NULL,         -- blocks, pages, lines, problems: see layout.py
            characters INTEGER NOT NULL,
            pages INTEGER NOT NULL,
            problems INTEGER NOT NULL,
            edition TEXT NOT NULL,        -- what read it; another edition reads it again
            size_bytes INTEGER NOT NULL,
            added_at TEXT NOT NULL
        );
        CREATE TABLE passages (
            document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            start INTEGER NOT NULL,
            end INTEGER NOT NULL,
            anchor TEXT NOT NULL,
            PRIMARY KEY (document_id, number)
        ) WITHOUT ROWID;
    """)
    # trigram finds Chinese, which has no spaces between words, as it finds English
    db.table("documents").enable_fts(["name", "text"], tokenize="trigram", create_triggers=True)


@migrations()
def m002_conversations(db: Database) -> None:
    # Documents are named by id without a reference: a conversation outlives the documents it was about.
    db.executescript("""
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            created_at TEXT NOT NULL
        );
        CREATE TABLE conversation_documents (
            conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            document_id TEXT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (conversation_id, position)
        ) WITHOUT ROWID;
        CREATE TABLE turns (
            id TEXT PRIMARY KEY,
            conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
            parent_id TEXT REFERENCES turns(id) ON DELETE CASCADE,
            question TEXT NOT NULL,
            answer TEXT NOT NULL DEFAULT '',
            state TEXT NOT NULL CHECK (state IN ('answering', 'finished', 'stopped', 'failed')),
            follows INTEGER NOT NULL,     -- 1: the turns before it were in the prompt; 0: an independent question
            model TEXT NOT NULL,
            fingerprint TEXT NOT NULL,    -- of the model that wrote reply_tokens
            reply_tokens BLOB,            -- int32, as the model wrote them
            receipt TEXT,
            seconds TEXT,
            created_at TEXT NOT NULL
        );
        CREATE INDEX turns_of_conversation ON turns (conversation_id, created_at);
        CREATE INDEX turns_of_parent ON turns (parent_id);
        CREATE TABLE citations (
            turn_id TEXT NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
            n INTEGER NOT NULL,
            document_id TEXT NOT NULL,
            document TEXT NOT NULL,
            page INTEGER,
            page_label TEXT,
            path TEXT NOT NULL,
            start INTEGER NOT NULL,
            end INTEGER NOT NULL,
            quote TEXT NOT NULL,
            PRIMARY KEY (turn_id, n)
        ) WITHOUT ROWID;
    """)


@migrations()
def m003_owners(db: Database) -> None:
    # The program that answers a turn: if it has died, the turn ends where it stands. See instances.py.
    db.execute("ALTER TABLE turns ADD COLUMN owner TEXT NOT NULL DEFAULT ''")


@migrations()
def m004_notes(db: Database) -> None:
    # What a turn took along beside the documents, as [[key, text], …]: see notes.py.
    db.execute("ALTER TABLE turns ADD COLUMN notes TEXT NOT NULL DEFAULT '[]'")


@migrations()
def m005_conversation_search(db: Database) -> None:
    # `spaced` is a function of ours that every connection knows: see conversation_search.py. Titles have negative row numbers.
    # Answers are indexed when they end, not at each of their words.
    db.executescript("""
        CREATE VIRTUAL TABLE said USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2');
        CREATE TRIGGER said_asked AFTER INSERT ON turns BEGIN
            INSERT INTO said (rowid, words) VALUES (new.rowid, spaced(new.question || char(10) || new.answer));
        END;
        CREATE TRIGGER said_answered AFTER UPDATE OF state ON turns BEGIN
            UPDATE said SET words = spaced(new.question || char(10) || new.answer) WHERE rowid = new.rowid;
        END;
        CREATE TRIGGER said_deleted AFTER DELETE ON turns BEGIN
            DELETE FROM said WHERE rowid = old.rowid;
        END;
        CREATE TRIGGER said_titled AFTER INSERT ON conversations BEGIN
            INSERT INTO said (rowid, words) VALUES (-new.rowid, spaced(new.title));
        END;
        CREATE TRIGGER said_renamed AFTER UPDATE OF title ON conversations BEGIN
            UPDATE said SET words = spaced(new.title) WHERE rowid = -new.rowid;
        END;
        CREATE TRIGGER said_forgotten AFTER DELETE ON conversations BEGIN
            DELETE FROM said WHERE rowid = -old.rowid;
        END;
        INSERT INTO said (rowid, words) SELECT rowid, spaced(question || char(10) || answer) FROM turns;
        INSERT INTO said (rowid, words) SELECT -rowid, spaced(title) FROM conversations;
        ALTER TABLE conversations ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE turns ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;  -- 1: the user took it out of what the model reads
    """)


@migrations()
def m006_memories(db: Database) -> None:
    db.executescript("""
        CREATE TABLE memories (
            id TEXT PRIMARY KEY,
            text TEXT NOT NULL,
            scope TEXT NOT NULL CHECK (scope IN ('everything', 'documents', 'character', 'conversation')),
            scope_id TEXT NOT NULL,       -- '' for everything; ids of documents joined by spaces, sorted
            state TEXT NOT NULL CHECK (state IN ('on', 'off', 'proposed')),
            created_at TEXT NOT NULL,
            changed_at TEXT NOT NULL
        );
        CREATE INDEX memories_of_scope ON memories (scope, scope_id);
    """)


@migrations()
def m010_web(db: Database) -> None:
    db.executescript("""
        ALTER TABLE citations ADD COLUMN url TEXT;           -- of passages of web pages only
        ALTER TABLE citations ADD COLUMN retrieved_at TEXT;
        -- pages of the web that a turn took along, as JSON: see web/retrieved.py
        ALTER TABLE turns ADD COLUMN pages TEXT NOT NULL DEFAULT '[]';
        CREATE TABLE network_log (
            number INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            host TEXT NOT NULL,
            purpose TEXT NOT NULL,
            sent INTEGER,                 -- bytes; NULL where a library does not say
            received INTEGER,
            status INTEGER                -- of HTTP; NULL: no answer came
        );
    """)


@migrations()
def m020_characters(db: Database) -> None:
    db.executescript("""
        CREATE TABLE characters (
            id TEXT PRIMARY KEY,
            card TEXT NOT NULL,           -- JSON as it was imported, with what no specification knows
            picture BLOB NOT NULL,        -- the PNG that carried the card, without it; or empty
            document_ids TEXT NOT NULL,   -- JSON: documents of the library that it lives in
            added_at TEXT NOT NULL,
            changed_at TEXT NOT NULL
        );
        CREATE TABLE character_files (
            character_id TEXT NOT NULL REFERENCES characters(id) ON DELETE CASCADE,
            uri BLOB NOT NULL,            -- as the card names it, in UTF-8
            content BLOB NOT NULL,
            PRIMARY KEY (character_id, uri)
        );
        CREATE TABLE lorebooks (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            book TEXT NOT NULL,           -- JSON as it was imported
            added_at TEXT NOT NULL
        );
        CREATE TABLE scenes (
            conversation_id TEXT PRIMARY KEY REFERENCES conversations(id) ON DELETE CASCADE,
            setup TEXT NOT NULL           -- JSON: see characters/scenes.py
        );
    """)


def known_steps() -> set[str]:
    """Names of all steps above: those that a fresh database would still need."""
    return {step.name for step in migrations.pending(Database(memory=True, execute_plugins=False))}
