import FalconChanges
import FalconStorage

extension CDCTail {
    public func execute(_ report: ReportWriter) throws(StorageError) {
        let context = report.context
        try DataDirectory.check(directory, context.fileSystem)
        for path in [delivery.sink, delivery.cursor] {
            if let path { try ToolPath.checkApart(path, from: directory) }
        }
        try context.openKeys(key, root: directory)
        let names = FileNames(root: directory)
        let isLive = context.fileSystem.isLocked(names.lock)
        // Before the log: a live writer's manifest never runs ahead of it.
        let condition = try DirectoryCondition.read(names, context.fileSystem)
        for problem in condition.problems { report.add(Finding(refusal: problem)) }
        if let expectation = condition.expectation,
            try ChangeReader.firstLSN(root: directory, context.fileSystem) == nil
        {
            return report.add(Finding(missingLog: expectation.noLog(names)))
        }
        let stream = try open(report, isLive: isLive)
        do throws(StorageError) {
            try stream.run(condition)
        } catch {
            // What was written up to the last boundary counts all the same.
            try? stream.output.settle(isLast: true)
            throw error
        }
    }

    private func open(
        _ report: ReportWriter, isLive: Bool
    ) throws(StorageError) -> ChangeStream {
        let context = report.context
        let log = try ChangeReader.identity(root: directory, context.fileSystem) ?? .zero
        let output = try openOutput(report, log: log)
        let schema = SchemaHistory()
        let formatter = ChangeFormatter(
            schema: schema, selection: filter.selection,
            dialect: dialect(log) { line throws(StorageError) in try output.write(line) },
            shouldStop: { context.shouldStop },
            onUnknown: { name, lsn in
                report.add(
                    Finding(
                        .cdcUnknownTable,
                        "No descriptor of \(name) is known; its rows are shown raw.",
                        blastRadius: "\(name) from \(lsn)"))
            })
        let reader = try ChangeReader(
            root: directory, fileSystem: context.fileSystem,
            mode: span.follow ? .follow : isLive ? .live : .dead,
            passesDamage: form.pastDamage)
        return ChangeStream(
            report: report, root: directory, span: span, isLive: isLive, reader: reader,
            formatter: formatter, output: output)
    }

    private func openOutput(
        _ report: ReportWriter, log: UID
    ) throws(StorageError) -> ChangeOutput {
        let fileSystem = report.context.fileSystem
        let form = "\(form.dialect.rawValue).\(format.rawValue)"
        let fresh = StreamCursor(form: form, log: log)
        let path = delivery.sink.map { $0 + ".cursor" } ?? delivery.cursor
        var cursorFile: CursorFile?
        if let path { cursorFile = try CursorFile(path, fileSystem) }
        if let stored = cursorFile?.stored {
            if stored.log != log {
                throw .invalidArgument(
                    "The cursor '\(cursorFile?.path ?? "")' is of another database's log.",
                    hint: "Name another file, or the directory it was made with.")
            }
            if stored.form != form {
                throw .invalidArgument(
                    "The stream began as \(stored.form), and is asked for as \(form).",
                    hint: "Keep --dialect and --format, or name another file.")
            }
        }
        if let sink = delivery.sink, let cursorFile {
            let header = (["schema_version"] + Self.csvColumns).joined(separator: ",") + "\n"
            return try SinkOutput(
                sink, cursorFile, fresh, rotateBytes: delivery.rotateBytes ?? 0,
                header: format == .csv ? Array(header.utf8) : [], report.context.environment)
        }
        return ReportOutput(report, cursorFile, cursorFile?.stored ?? fresh)
    }

    private func dialect(
        _ log: UID, _ emit: @escaping ([UInt8]) throws(StorageError) -> Void
    ) -> ChangeDialect {
        let values = ValueWriter(.falcon, numbersAsStrings: form.numbersAsStrings)
        switch format {
        case .text: return TextDialect(values, emit: emit)
        case .csv:
            return CSVDialect(
                values, schemaVersion: Int(ReportWriter.schemaVersion), emit: emit)
        case .json, .jsonl: break
        }
        var options = ChangeDialect.Options()
        options.numbersAsStrings = form.numbersAsStrings
        options.debezium = DebeziumDialect.Options(
            keys: form.debeziumKeys, tombstones: form.debeziumTombstones)
        return ChangeDialect.make(form.dialect, options, log: log, emit: emit)
    }
}
