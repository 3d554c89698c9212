import ArgumentParser
import FalconStorage

/// Where a restore shall end; put it into a command as `@OptionGroup var wish`.
struct RestoreTargetOptions: ParsableArguments {
    @Option(
        help: "Every commit that ends at or before this LSN.", transform: ToolArgument.lsn)
    var toLsn: LSN?

    @Option(
        help: "Every commit up to this moment: ISO 8601, UTC unless it names a zone.",
        transform: ToolArgument.time)
    var toTime: UInt64?

    @Flag(help: "Everything that a restart of the source would keep.")
    var toLatest = false

    @Option(help: "Every commit before the restore point of this name.")
    var toName: String?

    @Option(help: "Every commit up to that of this transaction; with --exclusive those before it.")
    var toTransaction: UInt64?

    @Option(
        help: ArgumentHelp(
            "Every commit before the first that inserts, updates, deletes or truncates rows of this table, or drops "
                + "it: schema.table, database.schema.table, an OID, or DATABASE/STORAGE as plans show it.",
            valueName: "table"))
    var beforeFirstOperationOn: String?

    @Option(
        name: .customLong("operation"),
        help: "With --before-first-operation-on: only operations of this kind.")
    var tableOperation: TableOperation?

    @Option(
        help: ArgumentHelp(
            "With --before-first-operation-on: look from this LSN or time on (default: from where the log begins).",
            valueName: "lsn-or-time"),
        transform: RestoreTargetOptions.parseSince)
    var since: TableOperationSearch.Since?

    @Flag(
        exclusivity: .exclusive,
        help: "Whether a commit exactly at the target is in the result (default: inclusive).")
    var bound = Bound.inclusive

    enum Bound: String, EnumerableFlag { case inclusive, exclusive }

    init() {}

    /// How many targets were given; a command asks for one with ``requireTarget()``.
    private var targetCount: Int {
        [
            toLsn != nil, toTime != nil, toLatest, toName != nil, toTransaction != nil,
            beforeFirstOperationOn != nil,
        ].filter { $0 }.count
    }

    /// A target was given.
    var isGiven: Bool { targetCount > 0 }

    private static let targets =
        "--to-lsn, --to-time, --to-name, --to-transaction, --before-first-operation-on and --to-latest"

    /// For the validation of a command that cannot do without.
    func requireTarget() throws {
        guard isGiven else { throw ValidationError("Give one of \(Self.targets).") }
    }

    func validate() throws {
        guard targetCount <= 1 else { throw ValidationError("Give one of \(Self.targets).") }
        guard beforeFirstOperationOn != nil || (tableOperation == nil && since == nil) else {
            throw ValidationError("--operation and --since go with --before-first-operation-on.")
        }
        guard bound == .inclusive || beforeFirstOperationOn == nil else {
            throw ValidationError("--before-first-operation-on always leaves that operation out.")
        }
        guard bound == .inclusive || !toLatest else {
            throw ValidationError("--to-latest has nothing to be exclusive of.")
        }
    }

    /// What has to be found in the log first; nil: nothing has.
    var mark: RestoreMark? {
        if let toName { return .name(toName) }
        return toTransaction.map { .transaction(TransactionID($0)) }
    }

    /// Of those targets that say by themselves where they are.
    var target: RestoreTarget {
        let isExclusive = bound == .exclusive
        if let toLsn { return .lsn(isExclusive ? LSN(max(toLsn.rawValue, 1) - 1) : toLsn) }
        if let toTime { return .time(isExclusive ? max(toTime, 1) - 1 : toTime) }
        return .latest
    }

    /// The target that a mark, found at `place`, comes to.
    func target(at place: RestoreMarkPlace) -> RestoreTarget {
        .lsn(bound == .exclusive ? place.lsn : place.endLSN)
    }

    /// For people.
    var text: String {
        let isExclusive = bound == .exclusive
        if let toLsn { return (isExclusive ? "before LSN " : "LSN ") + toLsn.description }
        if let toTime { return (isExclusive ? "before " : "") + ToolTime.format(toTime) }
        if let toName { return (isExclusive ? "before " : "") + "restore point '\(toName)'" }
        if let toTransaction {
            return (isExclusive ? "before " : "after ") + "transaction \(toTransaction)"
        }
        if let beforeFirstOperationOn {
            return "before the first \(tableOperation?.rawValue ?? "operation") on "
                + beforeFirstOperationOn
        }
        return "latest"
    }

    /// The one place of a mark; throws where there is none, or more than one.
    func single(_ places: [RestoreMarkPlace], in path: String) throws(StorageError)
        -> RestoreMarkPlace
    {
        guard let place = places.first else {
            throw StorageError(
                .targetUnreachable, kind: .user, "The log holds no \(what).",
                location: .init(path: path),
                hint: "It may be older than the log, or of another branch.")
        }
        guard places.count == 1 else {
            let list = places.map { "\($0.endLSN) (\(ToolTime.format($0.micros)))" }
            throw .invalidArgument(
                "The log holds \(places.count) of \(what): \(list.joined(separator: ", ")).",
                hint: "Choose one with --to-lsn.")
        }
        return place
    }

    @Sendable private static func parseSince(
        _ text: String
    ) throws -> TableOperationSearch.Since {
        if let lsn = LSN(text: text) { return .lsn(lsn) }
        guard let micros = ToolTime.parse(text) else {
            throw ValidationError(
                "'\(text)' is neither an LSN like 0/1A2B3C4D nor a time like 2026-01-31T23:59:59Z."
            )
        }
        return .time(micros)
    }

    private var what: String {
        if let toName { return "restore point '\(toName)'" }
        return "commit of transaction \(toTransaction ?? 0)"
    }
}
