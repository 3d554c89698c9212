import Testing

@testable import FalconStorage

@Suite struct TableLossTests {
    private func loss(_ offset: UInt64, _ byteCount: UInt64, _ key: UInt8) -> TableLoss {
        TableLoss(
            offset: offset, byteCount: byteCount, keys: KeyRange(lower: [key], upper: [key + 1]))
    }

    @Test func neighboursAreOne() {
        var losses: [TableLoss] = []
        TableLoss.append(loss(64, 10, 1), to: &losses)
        TableLoss.append(loss(74, 10, 2), to: &losses)
        TableLoss.append(loss(94, 10, 4), to: &losses)
        var both = loss(64, 20, 1)
        both.keys?.upper = [3]
        #expect(losses == [both, loss(94, 10, 4)])
    }

    /// A damaged partition of the index lies behind the blocks of later keys.
    @Test func tooManyAreToldWithAllBetween() {
        var losses: [TableLoss] = []
        for place in 0..<(TableLoss.limit - 1) {
            TableLoss.append(loss(UInt64(place) * 20, 10, UInt8(place)), to: &losses)
        }
        TableLoss.append(loss(1 << 20, 10, 100), to: &losses)
        TableLoss.append(loss(5000, 10, 120), to: &losses)
        #expect(losses.count == TableLoss.limit)
        #expect(losses.last?.offset == 5000)
        #expect(losses.last.map { $0.offset + $0.byteCount } == (1 << 20) + 10)
        #expect(losses.last?.keys == KeyRange(lower: [100], upper: [121]))
    }
}
