"""The command line: which commands there are, and what becomes of errors. The commands stand in commands_*.py.

Nothing heavy is imported before a command needs it, so that --help answers at once.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from unabridged.errors import UnabridgedError

EPILOG = """\
Results go to stdout, progress and errors to stderr. With --json exactly one JSON object is printed on stdout; when a command
fails, stdout stays empty, and stderr holds one sentence on what is wrong and one on what to do.

The password of a PDF is asked for on a terminal; a script puts it into the environment, as UNABRIDGED_PDF_PASSWORD.

exit status: 0 done; 2 wrong usage; 3 a file could not be read; 4 it does not fit the window; 5 the model, the engine or the
program failed; 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    options = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks Chinese shows escapes, not a failure
    try:
        return int(options.run(options))
    except UnabridgedError as error:
        sys.stderr.write(f"unabridged: {error.message}\n{error.hint}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; nothing more can be said
        return 0
    except Exception as error:  # noqa: BLE001 the outermost border: reported with a place to look, never swallowed
        from unabridged.fault_report import report

        sys.stderr.write(report(error))
        return 5


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="unabridged",
        description="Reads whole documents with a model on this machine, and answers with exact quotations.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.set_defaults(run=serve, host="127.0.0.1", port=7860, no_browser=False)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")

    command = _command(commands, "serve", "open the app in the browser (what happens without a command, too)", serve)
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    command.add_argument("--port", type=int, default=7860, help="port to listen on (default: 7860)")
    command.add_argument("--no-browser", action="store_true", help="do not open a browser window")

    command = _command(commands, "ask", "ask about files; the answer cites exact quotations", "commands_read:ask")
    command.add_argument("words", nargs="+", metavar="FILE... QUESTION", help="one or more files, then the question in quotes")
    command.add_argument(
        "--web",
        action="store_true",
        help="search the web where the documents do not answer; the query is shown first, and on a terminal it can be changed",
    )
    command.add_argument("--query", default="", metavar="WORDS", help="search the web for these words at once")
    _reading_options(command)

    command = _command(commands, "read", "read files now, so that the next question starts at once", "commands_read:read")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _reading_options(command)

    command = _command(commands, "inspect", "show what the reader understood of a file", "commands_library:inspect")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--text", action="store_true", help="also the text, the very string that spans point into")
    command.add_argument("--model", metavar="MODEL", help="count tokens as this model does")
    _json(command)

    command = _command(commands, "find", "look for literal words in the library", "commands_library:find")
    command.add_argument("words", metavar="WORDS", help="in quotes; case and the width of spaces do not matter")
    _json(command)

    group = _command(commands, "library", "the documents that were added", None).add_subparsers(metavar="ACTION", required=True)
    command = _command(group, "list", "list them, the newest first", "commands_library:list_documents")
    _json(command)
    command = _command(group, "remove", "forget documents; conversations keep their quotations", "commands_library:remove")
    command.add_argument("names", nargs="+", metavar="DOCUMENT", help="a name, or an id or its beginning")

    group = _command(commands, "models", "the models that can answer", None).add_subparsers(metavar="ACTION", required=True)
    command = _command(group, "list", "list them", "commands_models:list_models")
    _json(command)
    command = _command(group, "use", "choose the one that answers from now on", "commands_models:use")
    command.add_argument("model", metavar="MODEL", help="a listed name, or the path of a GGUF file")
    command = _command(group, "pull", "fetch one that is offered, from huggingface.co, and use it", "commands_models:pull")
    command.add_argument("model", metavar="NAME", help="as unabridged models list shows it")
    command = _command(group, "plan", "what it needs here: memory, the largest window, what to change", "commands_models:plan")
    command.add_argument("model", metavar="MODEL", help="a listed name, or the path of a GGUF file")
    command.add_argument("--window", type=int, default=0, metavar="TOKENS", help="default: the largest that fits")
    command.add_argument("--kv-type", default="auto", metavar="TYPE", help="auto (default), f16, q8_0 or q4_0")
    command.add_argument("--quick", action="store_true", help="do not measure how long reading takes")
    _json(command)

    group = _command(commands, "cache", "readings kept on disk", None).add_subparsers(metavar="ACTION", required=True)
    command = _command(group, "list", "what is kept of each document, the last used first", "commands_cache:list_readings")
    _json(command)
    command = _command(group, "clear", "remove readings; documents and conversations stay", "commands_cache:clear")
    command.add_argument("documents", nargs="*", metavar="DOCUMENT", help="a name or an id (default: everything)")
    for name, summary in (("pin", "never give up its readings for room"), ("unpin", "let its readings go when room is needed")):
        command = _command(group, name, summary, f"commands_cache:{name}")
        command.add_argument("documents", nargs="+", metavar="DOCUMENT", help="a name or an id")
    command = _command(group, "verify", "check every segment and remove the damaged ones", "commands_cache:verify")
    _json(command)

    command = _command(commands, "conversations", "what was asked and answered", None)
    group = command.add_subparsers(metavar="ACTION", required=True)
    command = _command(group, "list", "list them, the last changed first", "commands_conversations:list_conversations")
    command.add_argument("--archived", action="store_true", help="those that were put away")
    _json(command)
    command = _command(group, "find", "look for words in questions, answers and titles", "commands_conversations:find")
    command.add_argument("words", metavar="WORDS", help="in quotes; all of them, in any order")
    _json(command)
    command = _command(group, "export", "write one to a file", "commands_conversations:export")
    command.add_argument("conversation", metavar="ID", help="an id, or its beginning")
    command.add_argument("file", type=Path, metavar="FILE", help=".json; .md and .docx: the last branch with footnotes")
    command = _command(group, "import", "add one that was exported as .json", "commands_conversations:import_file")
    command.add_argument("file", type=Path, metavar="FILE")
    command = _command(group, "delete", "delete for good", "commands_conversations:delete")
    command.add_argument("conversations", nargs="+", metavar="ID", help="an id, or its beginning")

    group = _command(commands, "network", "what left this machine", None).add_subparsers(metavar="ACTION", required=True)
    command = _command(group, "log", "every request: time, host, purpose, bytes; the newest first", "commands_network:log")
    command.add_argument("--limit", type=int, default=1000, metavar="N", help="at most so many (default: 1000)")
    _json(command)
    _command(group, "clear", "forget them", "commands_network:clear")
    command = _command(group, "key", "keep the key of a search provider in the system's keyring", "commands_network:key")
    command.add_argument("provider", choices=("brave", "tavily"), help="it is asked for, or read from stdin")

    command = _command(commands, "memory", "what is kept in mind for every answer", None)
    group = command.add_subparsers(metavar="ACTION", required=True)
    command = _command(group, "list", "list it, the oldest first", "commands_memory:list_memories")
    _json(command)
    command = _command(group, "add", "keep something in mind, for everything or for some documents", "commands_memory:add")
    command.add_argument("text", metavar="TEXT", help="one sentence, in quotes")
    command.add_argument("--document", action="append", default=[], metavar="NAME", help="only with this document (repeatable)")
    command = _command(group, "remove", "forget it, in earlier conversations too", "commands_memory:remove")
    command.add_argument("memories", nargs="+", metavar="ID", help="an id, or its beginning")

    command = _command(commands, "character", "characters to play scenes with", None)
    group = command.add_subparsers(metavar="ACTION", required=True)
    command = _command(group, "import", "add cards: PNG, JSON or CHARX", "commands_characters:import_characters")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.add_argument(
        "--lives-in", nargs="+", default=[], metavar="DOCUMENT", help="documents of the library, read whole for it"
    )
    command = _command(group, "new", "make one without a card, from a document", "commands_characters:new")
    command.add_argument("name", metavar="NAME", help="as the document calls the person")
    command.add_argument("--description", default="", metavar="TEXT", help="what the document does not say")
    command.add_argument("--lives-in", nargs="+", default=[], metavar="DOCUMENT", help="documents of the library, read whole")
    command = _command(group, "learn", "give it the entries of a lorebook or world-info file", "commands_characters:learn")
    command.add_argument("character", metavar="CHARACTER", help="a name, or an id or its beginning")
    command.add_argument("file", type=Path, metavar="FILE")
    command = _command(group, "list", "list them, the last added first", "commands_characters:list_characters")
    _json(command)
    command = _command(group, "show", "show the sheet, or answer a question about it", "commands_characters:show")
    command.add_argument("character", metavar="CHARACTER", help="a name, or an id or its beginning")
    command.add_argument("question", nargs="?", default="", metavar="QUESTION")
    command.add_argument("--model", metavar="MODEL", help="a listed name or the path of a GGUF file, for this time only")
    _json(command)
    command = _command(group, "export", "write its card to a file, with everything in it", "commands_characters:export")
    command.add_argument("character", metavar="CHARACTER", help="a name, or an id or its beginning")
    command.add_argument("file", type=Path, metavar="FILE", help=".png, .json or .charx")
    command = _command(group, "remove", "delete characters for good", "commands_characters:remove")
    command.add_argument("characters", nargs="+", metavar="CHARACTER", help="a name, or an id or its beginning")

    command = _command(commands, "chat", "say something to a character; its last scene goes on", "commands_characters:chat")
    command.add_argument("character", metavar="CHARACTER", help="a name, or an id or its beginning")
    command.add_argument("message", metavar="MESSAGE", help="in quotes")
    command.add_argument("--new", action="store_true", help="begin a new scene")
    command.add_argument("--user", default="You", metavar="NAME", help="who you are in the scene (default: You)")
    command.add_argument("--model", metavar="MODEL", help="a listed name or the path of a GGUF file, for this time only")
    _json(command)

    measured = _command(commands, "eval", "measure a model (for those who make it)", None)
    models = measured.add_subparsers(metavar="MODEL", required=True)
    summary = "right passages and quotations on held-out documents, beside BM25"
    command = _command(models, "starter", summary, "commands_eval:eval_starter")
    command.add_argument("documents", type=Path, metavar="DOCUMENTS", help="folder of contracts, novels and laws")
    command.add_argument("training", type=Path, metavar="TRAINING", help="folder of qa.jsonl.zst, of which a fifth is held out")
    command.add_argument("--kept", type=Path, required=True, metavar="FOLDER", help="keeps what was measured, to go on from")
    command.add_argument("--model", type=Path, metavar="GGUF", help="another one than the packaged")
    command.add_argument("--tokens", type=int, nargs="+", default=[2_000, 8_000, 32_000, 128_000], metavar="N")
    command.add_argument("--kinds", nargs="+", default=["self-made", "human", "contracts"], metavar="KIND")
    command.add_argument("--threads", type=int, default=0, metavar="N")
    command.add_argument("--estimate", action="store_true", help="right passages without reading: minutes in place of hours")
    command.add_argument("--plot", type=Path, metavar="PNG")

    command = _command(commands, "doctor", "what this machine has, what is missing, what to do", "commands_models:doctor")
    _json(command)
    return top


def serve(options: argparse.Namespace) -> int:
    from unabridged.home import open_home
    from unabridged.ui.server import serve as serve_app
    from unabridged.workspace import Workspace

    with Workspace(open_home()) as workspace:
        serve_app(workspace, host=options.host, port=options.port, open_browser=not options.no_browser)
    return 0


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, run: object
) -> argparse.ArgumentParser:
    """A command; `run` is a function, the place of one that is imported when it is called, or None for a group."""
    command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=None)
    if run is not None:
        command.set_defaults(run=partial(_imported, run) if isinstance(run, str) else run)
    return command


def _imported(place: str, options: argparse.Namespace) -> int:
    """Run a command that is imported only now."""
    module, name = place.split(":")
    return int(getattr(import_module(f"unabridged.{module}"), name)(options))


def _reading_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", metavar="MODEL", help="a listed name or the path of a GGUF file, for this time only")
    command.add_argument("--fresh", action="store_true", help="ingest and read everything anew, whatever was kept")
    _json(command)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
