import Testing

@testable import FalconStorage

@Suite struct WALRoundTripTests {
    @Test func whatIsAppendedIsReadBackWithItsPosition() throws {
        let fixture = WALFixture()
        let writer = try fixture.open()
        var positions: [WALPosition] = []
        for index in 0..<2000 {
            positions.append(
                try writer.append(.logicalMessage, WALFixture.body(index, index % 300)))
        }
        try writer.sync()
        #expect(writer.syncedLSN == positions.last?.end)
        writer.setCommitted(writer.syncedLSN)
        try writer.close()
        let (records, reader) = try WALFixture.readAll(fixture.fileSystem)
        #expect(records.count == positions.count)
        for (index, record) in records.enumerated() {
            #expect(record.lsn == positions[index].start)
            #expect(record.body == WALFixture.body(index, index % 300))
        }
        #expect(reader.verdict == .clean(end: positions.last?.end ?? .zero))
        // A segment grows to twice its size when the next one is not ready.
        #expect(reader.summaries.count >= 2, "the log was to rotate")
        #expect(reader.committedLSN == positions.last?.end)
        #expect(reader.summaries.allSatisfy { $0.isSealed })
        // A sealed log is continued without a gap.
        #expect(reader.continuation.firstLSN == positions.last?.end)
    }

    @Test func aReaderStartsInTheMiddle() throws {
        let fixture = WALFixture()
        let writer = try fixture.open()
        var positions: [WALPosition] = []
        for index in 0..<2000 {
            positions.append(try writer.append(.logicalMessage, WALFixture.body(index)))
        }
        try writer.close()
        for start in [0, 1, 37, 1000, 1999] {
            let (records, _) = try WALFixture.readAll(
                fixture.fileSystem, from: positions[start].start)
            #expect(records.first?.lsn == positions[start].start)
            #expect(records.count == 2000 - start)
        }
        let (none, reader) = try WALFixture.readAll(
            fixture.fileSystem, from: positions[1999].end)
        #expect(none.isEmpty)
        #expect(reader.verdict == .clean(end: positions[1999].end))
    }

    @Test func aRecordLargerThanASegmentIsKeptWhole() throws {
        let fixture = WALFixture()
        let writer = try fixture.open()
        let sizes = [10, 300_000, 20, 70_000, 5]
        for (index, size) in sizes.enumerated() {
            try writer.append(.logicalMessage, WALFixture.body(index, size))
            try writer.sync()
        }
        try writer.close()
        let (records, _) = try WALFixture.readAll(fixture.fileSystem)
        #expect(records.map(\.body.count) == sizes)
        #expect(records[1].body == WALFixture.body(1, 300_000))
    }

    @Test func incarnationsFollowOnOneAnother() throws {
        let fixture = WALFixture()
        var continuation = WALContinuation.beginning
        var expected: [LSN] = []
        for incarnation in 1...4 {
            let writer = try fixture.open(continuation, incarnation: UInt64(incarnation))
            for index in 0..<50 {
                expected.append(
                    try writer.append(.logicalMessage, WALFixture.body(index)).start)
            }
            try writer.close()
            let (records, reader) = try WALFixture.readAll(fixture.fileSystem)
            #expect(records.map(\.lsn) == expected)
            continuation = reader.continuation
        }
    }

    @Test func commitRecordsKeepHeaderAndOperations() throws {
        let fixture = WALFixture()
        let writer = try fixture.open()
        let encoder = WALOperationEncoder()
        let key: [UInt8] = [0, 0, 0, 1, 0, 0, 3, 232, 9]
        let value = WALFixture.body(3, 500)
        key.withUnsafeBytes { key in
            value.withUnsafeBytes { value in
                encoder.add(
                    WALOperation(
                        kind: .put, operationClass: .row, sql: .insert, descriptorVersion: 7,
                        key: key, value: value))
                encoder.add(
                    WALOperation(
                        kind: .delete, operationClass: .index, sql: .delete, key: key,
                        before: value))
                encoder.add(
                    WALOperation(
                        kind: .rangeDelete, operationClass: .catalog, sql: .truncate, key: key,
                        value: key))
            }
        }
        let stamp = Timestamp(microsSince2000: 800_000_000_000_000)
        var header = CommitHeader(
            transaction: TransactionID(991), timestamp: stamp,
            wallMicros: stamp.microsSince2000 + Timestamp.epochMicrosSince1970 - 12_345,
            database: DatabaseID(5), origin: 3, epoch: 1 << 40, partCount: 1,
            idempotencyKey: [1, 2, 3])
        try writer.appendBatchPart(transaction: TransactionID(991), part: 0, encoder)
        try writer.appendCommit(header, encoder)
        try writer.close()
        header.operationCount = 3

        let reader = try WALReader(directory: "wal", fileSystem: fixture.fileSystem)
        let found = try reader.next()
        let first = try #require(found)
        let part = try #require(BatchPartView(first.body))
        #expect(part.transaction == TransactionID(991) && part.operationCount == 3)
        let next = try reader.next()
        let second = try #require(next)
        #expect(second.tag == .commit)
        let view = try #require(CommitRecordView(second.body))
        #expect(view.header == header)
        var operations = view.operations()
        let putOperation = operations.next()
        let put = try #require(putOperation)
        #expect(put.kind == .put && put.operationClass == .row && put.sql == .insert)
        #expect(put.descriptorVersion == 7 && Array(put.key) == key && Array(put.value) == value)
        #expect(put.before == nil)
        let deleteOperation = operations.next()
        let delete = try #require(deleteOperation)
        #expect(delete.kind == .delete && delete.before.map(Array.init) == value)
        let rangeOperation = operations.next()
        let range = try #require(rangeOperation)
        #expect(range.kind == .rangeDelete && range.operationClass == .catalog)
        let end = operations.next()
        #expect(end == nil && !operations.isDamaged)
    }

    @Test func controlRecordsRoundTrip() {
        func check<R: Equatable>(
            _ record: R, _ bytes: [UInt8], _ decode: (UnsafeRawBufferPointer) -> R?
        ) {
            #expect(bytes.withUnsafeBytes { decode($0) } == record)
            // Every truncation is refused, none traps.
            for count in 0..<bytes.count {
                #expect(bytes[..<count].withUnsafeBytes { decode($0) } != record)
            }
        }
        let incarnation = IncarnationRecord(
            branch: UID(high: 1, low: 2), parent: UID(high: 3, low: 4), forkLSN: LSN(5),
            incarnation: 6, epoch: 7, wallMicros: 8, transactionFloor: TransactionID(9),
            timestampFloor: Timestamp(10))
        check(incarnation, incarnation.encoded()) { IncarnationRecord($0) }
        let closed = ClosedTimestampRecord(timestamp: Timestamp(1), wallMicros: 2)
        check(closed, closed.encoded()) { ClosedTimestampRecord($0) }
        let checkpoint = CheckpointRecord(
            replayLSN: LSN(1), timestamp: Timestamp(2), wallMicros: 3,
            catalog: [.init(key: [1], value: [2, 3])])
        check(checkpoint, checkpoint.encoded()) { CheckpointRecord($0) }
        let point = RestorePointRecord(name: "über", timestamp: Timestamp(2), wallMicros: 3)
        check(point, point.encoded()) { RestorePointRecord($0) }
        let ingest = IngestRecord(
            timestamp: Timestamp(5), wallMicros: 9,
            files: [false, true].map { isExclusive in
                .init(
                    uid: UID(high: 1, low: 2), number: FileNumber(3), byteCount: 10, hash: 4,
                    entryCount: 11, tombstoneCount: 12, rangeTombstoneCount: 13, smallest: [6],
                    greatest: [7, 8], greatestIsExclusive: isExclusive)
            })
        check(ingest, ingest.encoded()) { IngestRecord($0) }
        let prepare = PrepareRecord(
            transaction: TransactionID(1), global: UID(high: 2, low: 3), timestamp: Timestamp(4),
            isCommitted: true)
        check(prepare, prepare.encoded()) { PrepareRecord($0) }
    }
}
