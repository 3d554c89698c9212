import Testing

@testable import FalconStorage

/// Who waits for whom before a sync.
@Suite struct CommitGroupTests {
    private func sync(_ group: inout CommitGroup, arrivingMeanwhile: Int, nanos: UInt64 = 300_000) {
        group.beginSync()
        for _ in 0..<arrivingMeanwhile { group.join() }
        group.endSync(nanos: nanos)
    }

    @Test func aSingleClientNeverWaits() {
        var group = CommitGroup()
        for _ in 0..<10 {
            group.join()
            #expect(group.patienceNanos() == 0)
            sync(&group, arrivingMeanwhile: 0)
        }
    }

    @Test func halvesThatWouldAlternateAreBroughtTogether() {
        var group = CommitGroup()
        for _ in 0..<4 { group.join() }
        #expect(group.patienceNanos() == 0)
        sync(&group, arrivingMeanwhile: 4)
        #expect(group.waiting == 4)
        #expect(group.patienceNanos() == 100_000)
        #expect(!group.isComplete)
        for _ in 0..<4 { group.join() }
        #expect(group.isComplete)
        group.endGathering(before: 4)
        sync(&group, arrivingMeanwhile: 0)
        // The first of the eight is back.
        group.join()
        #expect(group.patienceNanos() > 0)
    }

    @Test func waitsInVainBecomeRare() {
        var group = CommitGroup()
        var waits = 0
        for _ in 0..<600 {
            if group.waiting == 0 { group.join() }
            if group.patienceNanos() > 0 {
                waits += 1
                group.endGathering(before: group.waiting)
            }
            sync(&group, arrivingMeanwhile: 1)
        }
        #expect((1...12).contains(waits))
    }

    @Test func aFastDeviceIsNotWaitedFor() {
        var group = CommitGroup()
        group.join()
        sync(&group, arrivingMeanwhile: 5, nanos: 20_000)
        #expect(group.patienceNanos() == 0)
    }
}
