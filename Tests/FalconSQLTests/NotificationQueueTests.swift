import FalconSchema
import FalconStorage
import Synchronization
import Testing

@testable import FalconSQL

/// The queue by itself: order and room, whichever way commits end.
struct NotificationQueueTests {
    private static func commit(
        _ payloads: [String] = [], listener: NotificationListener? = nil,
        actions: [PendingNotifications.Action] = []
    ) -> NotificationCommit {
        NotificationCommit(
            listener: listener, actions: actions, database: 1,
            messages: payloads.map {
                SessionNotification(processID: 7, channel: "ch", payload: $0)
            })
    }

    private static func listening(_ queue: NotificationQueue) throws -> NotificationListener {
        let listener = queue.makeListener(database: 1, processID: 8) {}
        let listen = commit(listener: listener, actions: [.listen("ch")])
        #expect(try queue.reserve(listen) == nil)
        queue.published(listen)
        return listener
    }

    private static func heard(
        _ queue: NotificationQueue, _ listener: NotificationListener, _ bytes: Int = .max
    ) -> [String] {
        queue.take(listener, maximumBytes: bytes).map(\.payload)
    }

    private static func hasMail(_ listener: NotificationListener) -> Bool {
        listener.hasMail.load(ordering: .relaxed)
    }

    @Test func commitsGoOutInTheOrderOfTheirPlaces() throws {
        let queue = NotificationQueue(nil, limitBytes: 10_000)
        let listener = try Self.listening(queue)
        let commits = [
            Self.commit(["a", "b"]), Self.commit(["c"]), Self.commit(["d"]), Self.commit(["e"]),
        ]
        for commit in commits { #expect(try queue.reserve(commit) == nil) }
        for commit in commits { queue.ordered(commit) }
        // The second is published first, the third fails.
        queue.published(commits[1])
        queue.abandoned(commits[2])
        #expect(Self.heard(queue, listener) == [])
        queue.published(commits[0])
        #expect(Self.heard(queue, listener, 1) == ["a"])
        #expect(Self.hasMail(listener))
        #expect(Self.heard(queue, listener) == ["b", "c"])
        #expect(!Self.hasMail(listener))
        queue.published(commits[3])
        #expect(Self.heard(queue, listener) == ["e"])
        #expect(queue.usage == 0)
    }

    @Test func roomIsGivenBackHoweverItEnds() throws {
        let queue = NotificationQueue(nil, limitBytes: 1000)
        let long = String(repeating: "x", count: 800)
        for isOrdered in [false, true] {
            let commit = Self.commit([long])
            _ = try queue.reserve(commit)
            #expect(queue.usage > 0.9)
            #expect(throws: SQLError.self) { _ = try queue.reserve(Self.commit(["y"])) }
            if isOrdered { queue.ordered(commit) }
            queue.abandoned(commit)
            #expect(queue.usage == 0)
        }
        // Nobody listens; then one that goes without having taken it.
        let unheard = Self.commit([long])
        _ = try queue.reserve(unheard)
        queue.published(unheard)
        #expect(queue.usage == 0)
        let listener = try Self.listening(queue)
        let kept = Self.commit([long])
        _ = try queue.reserve(kept)
        queue.published(kept)
        #expect(queue.usage > 0.9)
        queue.remove(listener)
        #expect(queue.usage == 0)
        // What its last commit asks for comes too late.
        let late = Self.commit(listener: listener, actions: [.listen("ch")])
        queue.published(late)
        #expect(queue.channels(of: listener) == [])
    }

    @Test func theMemoryBudgetIsCharged() throws {
        let budget = try MemoryBudget(totalBytes: 64 << 20)
        let queue = NotificationQueue(budget, limitBytes: nil)
        #expect(queue.limitBytes == 4 << 20)
        let listener = try Self.listening(queue)
        let long = String(repeating: "x", count: 7000)
        for _ in 0..<400 {
            let commit = Self.commit([long])
            _ = try queue.reserve(commit)
            queue.published(commit)
        }
        let charged = budget.usedBytes(.notifications)
        #expect(charged >= 2_800_000 && charged < 3_400_000)
        budget.charge(.queries, budget.hardLevelBytes)
        // More than what was charged ahead.
        let many = Array(repeating: long, count: 40)
        let error = #expect(throws: SQLError.self) {
            _ = try queue.reserve(Self.commit(many))
        }
        #expect(error?.state == .outOfMemory)
        #expect(error?.detail?.contains("notifications ") == true)
        budget.charge(.queries, -budget.hardLevelBytes)
        #expect(Self.heard(queue, listener).count == 400)
        #expect(budget.usedBytes(.notifications) == 0)
    }
}
