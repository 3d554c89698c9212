import ArgumentParser
import FalconChanges
import FalconStorage

/// Shows the committed row changes of a data directory, transaction by transaction.
///
/// The log is read from its kept beginning even when `--from-lsn` names a later point: the tables'
/// descriptors are in it.
public struct CDCTail: ToolCommand {
    public static let configuration = toolConfiguration(
        "cdc-tail", abstract: "Show committed row changes, grouped by transaction.",
        discussion: """
            Prints one JSON object a line: a begin, the rows in the order they were written, a \
            commit whose end_lsn is where to resume. On a directory that a server has open, it shows \
            what the log says is committed; on a dead one, everything that a restart would keep.
            """)
    public static let defaultFormat = OutputFormat.jsonl
    public static let isEventStream = true
    public static let csvColumns = CSVDialect.columns

    @Argument(help: "The data directory.")
    var directory: String

    @OptionGroup(title: "Form")
    var form: FormOptions

    @OptionGroup(title: "Where to begin and to end")
    var span: SpanOptions

    @OptionGroup(title: "What is shown")
    var filter: FilterOptions

    @OptionGroup(title: "Where it goes")
    var delivery: DeliveryOptions

    @OptionGroup public var key: KeyOptions
    @OptionGroup public var output: OutputOptions

    public init() {}

    static let operations = [
        "insert", "update", "delete", "truncate", "drop", "read", "schema", "put", "remove",
        "remove-range", "ingest",
    ]

    var format: OutputFormat { output.format ?? Self.defaultFormat }

    public func validate() throws {
        if form.dialect != .falcon, format != .jsonl, format != .json {
            throw ValidationError("--dialect \(form.dialect.rawValue) is for --format jsonl.")
        }
        if form.debeziumKeys || form.debeziumTombstones {
            guard form.dialect == .debezium, format == .jsonl else {
                throw ValidationError(
                    "--debezium-keys and --debezium-tombstones are for --dialect debezium.")
            }
        }
        if delivery.sink != nil {
            guard format != .json else {
                throw ValidationError("--sink takes --format jsonl, csv or text.")
            }
            guard delivery.cursor == nil else {
                throw ValidationError(
                    "--sink keeps its cursor beside the file: leave --cursor out.")
            }
        } else if delivery.rotateBytes != nil {
            throw ValidationError("--rotate-bytes is for --sink.")
        }
        if span.follow, form.pastDamage {
            throw ValidationError("--follow cannot be combined with --past-damage.")
        }
    }
}
