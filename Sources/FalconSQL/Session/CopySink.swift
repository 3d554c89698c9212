import FalconSchema
import FalconStorage

/// Turns rows into COPY's text or CSV data on their way to the client.
final class CopySink: CopyTarget {
    private let inner: any ResultSink
    private let options: CopyOptions
    private let settings: DisplaySettings
    var isStarted = false
    private(set) var rows: Int64 = 0
    private var line = ByteWriter()
    private var field = ByteWriter()

    init(inner: any ResultSink, options: CopyOptions, settings: DisplaySettings) {
        self.inner = inner
        self.options = options
        self.settings = settings
    }

    func rowDescription(_ columns: [ResultColumn]) {
        guard !isStarted else { return }
        isStarted = true
        inner.copyOutResponse(options.isCSV ? .csv : .text, columnCount: columns.count)
        guard options.hasHeader else { return }
        line.bytes.removeAll(keepingCapacity: true)
        for (index, column) in columns.enumerated() {
            if index > 0 { line.append(options.delimiter) }
            field.bytes = Array(column.name.utf8)
            options.isCSV ? appendCSV(force: false, isSingle: columns.count == 1) : appendText()
        }
        line.append(0x0A)
        inner.copyData(line.bytes)
    }

    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError) {
        rows += 1
        line.bytes.removeAll(keepingCapacity: true)
        for index in columns.indices {
            if index > 0 { line.append(options.delimiter) }
            if values[index].isNull {
                line.append(contentsOf: options.null)
                continue
            }
            field.bytes.removeAll(keepingCapacity: true)
            try ValueLimit.checkText(of: values[index])
            TypeIO.appendText(
                values[index], type: columns[index].type.oid, settings: settings, to: &field)
            try ValueLimit.checkGrowth(line.count, by: field.count)
            if options.isCSV {
                appendCSV(
                    force: options.forcesQuoteAll
                        || options.forcesQuote.contains(columns[index].name),
                    isSingle: columns.count == 1)
            } else {
                appendText()
            }
        }
        try ValueLimit.checkGrowth(line.count, by: 1)
        line.append(0x0A)
        inner.copyData(line.bytes)
        if line.bytes.capacity > 1 << 20 { line = ByteWriter() }
        if field.bytes.capacity > 1 << 20 { field = ByteWriter() }
    }

    private func appendText() {
        for byte in field.bytes {
            switch byte {
            case 0x08: line.append(contentsOf: [0x5C, 0x62])
            case 0x0C: line.append(contentsOf: [0x5C, 0x66])
            case 0x0A: line.append(contentsOf: [0x5C, 0x6E])
            case 0x0D: line.append(contentsOf: [0x5C, 0x72])
            case 0x09: line.append(contentsOf: [0x5C, 0x74])
            case 0x0B: line.append(contentsOf: [0x5C, 0x76])
            case 0x5C: line.append(contentsOf: [0x5C, 0x5C])
            case options.delimiter: line.append(contentsOf: [0x5C, byte])
            default: line.append(byte)
            }
        }
    }

    private func appendCSV(force: Bool, isSingle: Bool) {
        var needsQuotes = force || field.bytes == options.null
        if isSingle, field.bytes == [0x5C, 0x2E] { needsQuotes = true }
        if !needsQuotes {
            for byte in field.bytes
            where byte == options.delimiter || byte == options.quote || byte == 0x0A
                || byte == 0x0D
            {
                needsQuotes = true
                break
            }
        }
        guard needsQuotes else {
            line.append(contentsOf: field.bytes)
            return
        }
        line.append(options.quote)
        for byte in field.bytes {
            if byte == options.quote || byte == options.escape { line.append(options.escape) }
            line.append(byte)
        }
        line.append(options.quote)
    }

    func notice(_ notice: SQLError) { inner.notice(notice) }
    func parameterStatus(_ name: String, _ value: String) { inner.parameterStatus(name, value) }
    var wantsPause: Bool { inner.wantsPause }
}
