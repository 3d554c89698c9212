import Dispatch
import FalconSchema
import FalconTestKit
import Foundation
import Synchronization

@testable import FalconSQL

/// A statement on a thread of its own.
final class Pending: Sendable {
    struct NoWait: Error {}

    private let session: TestSession
    private let done = DispatchSemaphore(value: 0)
    private let outcome = Mutex<(text: String, error: SQLError?)?>(nil)

    convenience init(_ session: TestSession, _ sql: String) {
        self.init(session) { try session.query(sql) }
    }

    init(_ session: TestSession, _ body: @escaping @Sendable () throws -> String) {
        self.session = session
        Thread.detachNewThread { [self] in
            var result: (text: String, error: SQLError?) = ("", nil)
            do { result.text = try body() } catch {
                result.error = error as? SQLError ?? SQLError(.internalError, "\(error)")
            }
            outcome.withLock { [result] in $0 = result }
            done.signal()
        }
    }

    var isOver: Bool { outcome.withLock { $0 != nil } }

    /// Returns once the session stands in a wait; throws when the statement ends without.
    func untilItWaits() throws {
        try eventually { session.session.interrupt.isWaiting || isOver }
        if !session.session.interrupt.isWaiting { throw NoWait() }
    }

    func result() throws -> (text: String, error: SQLError?) {
        guard done.comes() else { throw NotInTime() }
        done.signal()
        return outcome.withLock { $0 } ?? ("", nil)
    }
}

extension DispatchSemaphore {
    /// False when no signal comes within a minute.
    func comes() -> Bool { wait(timeout: .now() + .seconds(60)) == .success }
}
