import ArgumentParser
import FalconChanges
import FalconStorage

extension DialectName: ExpressibleByArgument {}

/// How the lines look.
struct FormOptions: ParsableArguments {
    @Option(help: "Form of the JSON lines: falcon, debezium, wal2json-v2 or cloudevents.")
    var dialect = DialectName.falcon

    @Flag(help: "Debezium: each line as key, tab, value, as Kafka's console tools read it.")
    var debeziumKeys = false

    @Flag(help: "Debezium: a null value after each delete.")
    var debeziumTombstones = false

    @Flag(
        help: "Falcon: integers beyond 2^53 and numerics as strings; wal2json: all numbers.")
    var numbersAsStrings = false

    @Flag(help: "Go on behind damage; without it the stream ends there.")
    var pastDamage = false
}

/// The part of the log that is shown.
struct SpanOptions: ParsableArguments {
    @Option(
        help: "Begin with the first transaction at or after this LSN.",
        transform: ToolArgument.lsn)
    var fromLsn: LSN?

    @Option(
        help: "End with the last transaction that ends at or before this LSN.",
        transform: ToolArgument.lsn)
    var untilLsn: LSN?

    @Option(
        help: "Begin with the first transaction committed at or after this time.",
        transform: ToolArgument.time)
    var fromTime: UInt64?

    @Option(
        help: "End with the last transaction committed at or before this time.",
        transform: ToolArgument.time)
    var untilTime: UInt64?

    @Option(
        help:
            "Begin where this replication slot is; only its database's changes. The slot stays there."
    )
    var slot: String?

    @Flag(help: "Begin with the tables' rows as of now, then the changes from there on.")
    var snapshot = false

    @Flag(help: "Go on as the server writes, until interrupted.")
    var follow = false

    @Option(help: "Milliseconds between two looks at a quiet log with --follow.")
    var pollMs: UInt32 = 20

    @Option(help: "Seconds between two heartbeats with --follow (10 by default); 0: none.")
    var heartbeatSeconds: UInt32 = 10

    func validate() throws {
        guard (1...60_000).contains(pollMs) else {
            throw ValidationError("--poll-ms must be 1 to 60000.")
        }
        if snapshot, fromLsn != nil || fromTime != nil {
            throw ValidationError("--snapshot says itself where the changes begin.")
        }
        if slot != nil, snapshot || fromLsn != nil || fromTime != nil {
            throw ValidationError("--slot says itself where the changes begin.")
        }
        if let fromTime, let untilTime, fromTime > untilTime {
            throw ValidationError("--from-time lies after --until-time.")
        }
    }
}

/// Which changes are shown.
struct FilterOptions: ParsableArguments {
    @Option(help: "Only these tables (repeatable): name or schema.name, with * and ?.")
    var table: [String] = []

    @Option(help: "Only these columns and the key (repeatable), with * and ?.")
    var column: [String] = []

    @Option(
        help: """
            Only these operations (repeatable): insert, update, delete, truncate, drop, read, \\
            schema, ingest.
            """)
    var op: [String] = []

    @Option(help: "Only rows from this key on: values of leading key columns, with commas between.")
    var keyFrom: String?

    @Option(help: "Only rows up to this key, those that begin with it included.")
    var keyTo: String?

    @Option(help: "Only the transactions of these numbers (repeatable).")
    var transaction: [UInt64] = []

    @Flag(help: "Rows only, no begin, commit and schema lines.")
    var rowsOnly = false

    func validate() throws {
        if let wrong = op.first(where: { !CDCTail.operations.contains($0) }) {
            throw ValidationError(
                "'\(wrong)' is not an operation; use insert, update, delete, truncate, drop, read, "
                    + "schema or ingest.")
        }
    }

    var selection: ChangeSelection {
        var selection = ChangeSelection()
        selection.tables = table.map { TableGlob($0) }
        selection.columns = column.map { TableGlob($0) }
        selection.operations = Set(op)
        selection.transactions = Set(transaction)
        selection.keys = KeyBounds(from: keyFrom, to: keyTo)
        selection.showsTransactions = !rowsOnly
        selection.showsSchema = !rowsOnly
        return selection
    }
}

/// Where the lines go, and how far they have come there.
struct DeliveryOptions: ParsableArguments {
    @Option(
        help: """
            Write to this file instead of standard output, each change exactly once, and go on \\
            where an earlier run ended.
            """)
    var sink: String?

    @Option(help: "With --sink: begin a new file after so many bytes, at a transaction's end.")
    var rotateBytes: UInt64?

    @Option(help: "Begin where this file says, and keep in it how far standard output has come.")
    var cursor: String?

    func validate() throws {
        if rotateBytes == 0 { throw ValidationError("--rotate-bytes must be at least 1.") }
    }
}
