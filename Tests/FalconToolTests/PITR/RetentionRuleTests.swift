import Testing

@testable import FalconStorage

/// Each rule of what a repository keeps, on inventories made for it.
struct RetentionRuleTests {
    /// A log of 20 days with a backup every fourth.
    private func plain() -> ForgedRepository {
        var repository = ForgedRepository()
        repository.log(0..<20)
        for day in [2, 6, 10, 14, 18] { repository.backup("b\(day)", day: day) }
        return repository
    }

    // MARK: - Number

    @Test func theNewestStay() throws {
        let retention = try plain().retention(keep: 2)
        #expect(retention.kept == ["b18", "b14"])
        #expect(retention.removedBackups.map(\.id) == ["b10", "b6", "b2"])
        #expect(retention.reasons("b14") == [.amongNewest(2)])
        #expect(retention.reasons("b10") == [.behindNewest(2)])
        #expect(retention.runs == ["1: 0-13 remove", "1: 14-19 keep"])
        #expect(retention.log.last?.reason == .replayed(from: "b14"))
        #expect(retention.log.first?.reason == .older)
        #expect(retention.coversWindow == nil)
        #expect(retention.earliest?.micros == ForgedRepository.moment(14.5))
    }

    @Test func whereThereAreFewerAllStay() throws {
        let retention = try plain().retention(keep: 50)
        #expect(retention.kept == ["b18", "b14", "b10", "b6", "b2"])
        // The log before the oldest serves nobody.
        #expect(retention.runs == ["1: 0-1 remove", "1: 2-19 keep"])
    }

    @Test func withoutBackupsTheLogStays() throws {
        var repository = ForgedRepository()
        repository.log(0..<5)
        let retention = try repository.retention(keep: 1, days: 1)
        #expect(retention.runs == ["1: 0-4 keep"])
        #expect(retention.log.first?.reason == .withoutBackups)
        #expect(retention.earliest == nil)
        #expect(retention.coversWindow == false)
    }

    @Test func nonsenseIsRefused() throws {
        for (keep, days) in [(nil, nil), (0, nil), (-1, 3), (nil, 0)] as [(Int?, Double?)] {
            #expect(throws: StorageError.self) { try plain().retention(keep: keep, days: days) }
        }
        var damaged = plain()
        damaged.inventory.problems.append(.corruption("damaged", path: "/repo/x", offset: 0))
        #expect(throws: StorageError.self) { try damaged.retention(keep: 1) }
    }

    // MARK: - Time

    @Test func aWindowKeepsTheBackupThatReachesIntoIt() throws {
        let retention = try plain().retention(days: 7)
        #expect(retention.kept == ["b18", "b14", "b10"])
        #expect(retention.reasons("b14") == [.insideWindow])
        #expect(retention.reasons("b10") == [.reachesIntoWindow(branch: nil)])
        #expect(retention.reasons("b6") == [.beforeWindow(base: "b10")])
        #expect(retention.runs == ["1: 0-9 remove", "1: 10-19 keep"])
        #expect(retention.coversWindow == true)
    }

    @Test func aBackupThatEndedAsTheWindowBeginsIsEnough() throws {
        let exact = try plain().retention(days: 5.5)
        #expect(exact.kept == ["b18", "b14"])
        #expect(exact.reasons("b14") == [.reachesIntoWindow(branch: nil)])
        // A microsecond more, and its end is inside the window.
        let more = try RepositoryRetention(
            plain().inventory,
            RetentionPolicy(
                windowMicros: UInt64(5.5 * Double(ForgedRepository.dayMicros)) + 1,
                nowMicros: ForgedRepository.moment(20)))
        #expect(more.kept == ["b18", "b14", "b10"])
        #expect(more.reasons("b14") == [.insideWindow])
    }

    /// A restore to the window's first moment cannot begin with tables that have later commits.
    @Test func aBackupWithNewerCommitsIsNotEnough() throws {
        var repository = ForgedRepository()
        repository.log(0..<20)
        repository.backup("old", day: 2)
        repository.backup("ahead", day: 10, newest: 15)
        let retention = try repository.retention(days: 7)
        #expect(retention.kept == ["ahead", "old"])
        #expect(retention.reasons("old") == [.reachesIntoWindow(branch: nil)])
    }

    @Test func aYoungRepositoryKeepsAllAndSaysSo() throws {
        let retention = try plain().retention(days: 30)
        #expect(retention.kept.count == 5)
        #expect(retention.coversWindow == false)
        #expect(retention.reasons("b2") == [.insideWindow])
    }

    @Test func anOldRepositoryKeepsItsLastBackup() throws {
        let retention = try plain().retention(days: 7, now: 1000)
        #expect(retention.kept == ["b18"])
        #expect(retention.runs == ["1: 0-17 remove", "1: 18-19 keep"])
    }

    @Test func whatOneRuleKeepsStays() throws {
        let byNumber = try plain().retention(keep: 4, days: 7)
        #expect(byNumber.kept == ["b18", "b14", "b10", "b6"])
        #expect(byNumber.reasons("b6") == [.amongNewest(4)])
        #expect(byNumber.reasons("b14") == [.amongNewest(4), .insideWindow])
        #expect(byNumber.reasons("b2") == [.behindNewest(4), .beforeWindow(base: "b10")])
        let byTime = try plain().retention(keep: 1, days: 7)
        #expect(byTime.kept == ["b18", "b14", "b10"])
    }

    // MARK: - Branches and gaps

    /// Branch 2 was restored from branch 1 as of the end of day 3, and is what is written now.
    private func restored() -> ForgedRepository {
        var repository = ForgedRepository()
        repository.log(0..<8)
        repository.log(8..<20, branch: 2, after: (1, 3))
        repository.backup("b1", day: 1)
        repository.backup("b5", day: 5)
        return repository
    }

    @Test func aWindowIsRestoredFromItsOwnPast() throws {
        // The newest backup that ended before the window leads to another future.
        let retention = try restored().retention(days: 7)
        #expect(retention.kept == ["b1"])
        #expect(retention.reasons("b1") == [.reachesIntoWindow(branch: nil)])
        #expect(retention.reasons("b5") == [.beforeWindow(base: "b1")])
        // What can be restored from it stays, also in the future that was given up.
        #expect(retention.runs == ["1: 0-0 remove", "1: 1-7 keep", "2: 8-19 keep"])
    }

    /// The newest backup is of the future that was given up: nothing that is written now could be restored from it.
    @Test func theLiveLineKeepsItsLastBase() throws {
        let retention = try restored().retention(keep: 1)
        #expect(retention.kept == ["b5", "b1"])
        #expect(retention.reasons("b5") == [.amongNewest(1)])
        #expect(retention.reasons("b1") == [.leadsToNewest])
        #expect(retention.runs == ["1: 0-0 remove", "1: 1-7 keep", "2: 8-19 keep"])
    }

    @Test func aBranchThatEndedInTheWindowHasItsOwn() throws {
        let retention = try restored().retention(days: 13)
        #expect(retention.kept == ["b5", "b1"])
        #expect(
            retention.reasons("b5") == [.reachesIntoWindow(branch: ForgedRepository.branch(1))])
    }

    @Test func behindAGapTheWindowHasItsOwn() throws {
        var repository = ForgedRepository()
        repository.log(0..<5)
        repository.log(8..<20, after: (1, 7))
        repository.backup("b2", day: 2)
        repository.backup("b9", day: 9)
        let behind = try repository.retention(days: 5)
        #expect(behind.kept == ["b9"])
        #expect(behind.coversWindow == true)
        // Log 0-4 is another stretch, and older; 8 is what the backup's log begins behind.
        #expect(behind.runs == ["1: 0-4 remove", "1: 8-8 remove", "1: 9-19 keep"])
        let across = try repository.retention(days: 14)
        #expect(across.kept == ["b9", "b2"])
        #expect(across.reasons("b2") == [.nearestToWindow])
        #expect(across.coversWindow == false)
    }
}
