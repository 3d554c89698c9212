import FalconSchema
import FalconStorage

/// Turns rows into COPY's binary data on their way to the client. The header goes with the first row.
final class CopyBinarySink: CopyTarget {
    private let inner: any ResultSink
    private var message = ByteWriter()
    private var field = ByteWriter()
    var isStarted = false
    private(set) var rows: Int64 = 0
    private var wroteHeader: Bool

    init(inner: any ResultSink, rowsSent: Int64) {
        self.inner = inner
        wroteHeader = rowsSent > 0
    }

    func rowDescription(_ columns: [ResultColumn]) {
        guard !isStarted else { return }
        isStarted = true
        inner.copyOutResponse(.binary, columnCount: columns.count)
    }

    private func begin() {
        message.bytes.removeAll(keepingCapacity: true)
        if wroteHeader { return }
        wroteHeader = true
        message.append(contentsOf: CopyBinaryReader.signature)
        append(Int32(0))
        append(Int32(0))
    }

    private func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { message.append(contentsOf: Array($0)) }
    }

    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError) {
        rows += 1
        begin()
        append(Int16(truncatingIfNeeded: columns.count))
        for index in columns.indices {
            if values[index].isNull {
                append(Int32(-1))
                continue
            }
            field.bytes.removeAll(keepingCapacity: true)
            TypeIO.appendBinary(values[index], type: columns[index].type.oid, to: &field)
            try ValueLimit.checkGrowth(message.count, by: field.count + 4)
            append(Int32(truncatingIfNeeded: field.count))
            message.append(contentsOf: field.bytes)
        }
        inner.copyData(message.bytes)
        if message.bytes.capacity > 1 << 20 { message = ByteWriter() }
        if field.bytes.capacity > 1 << 20 { field = ByteWriter() }
    }

    func end() {
        begin()
        append(Int16(-1))
        inner.copyData(message.bytes)
    }

    func notice(_ notice: SQLError) { inner.notice(notice) }
    func parameterStatus(_ name: String, _ value: String) { inner.parameterStatus(name, value) }
    var wantsPause: Bool { inner.wantsPause }
}
