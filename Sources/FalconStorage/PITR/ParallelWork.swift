import Synchronization

/// How far pieces of work are that several threads do, and whether they are still wanted.
final class ParallelProgress: Sendable {
    private let count = Atomic<UInt64>(0)
    private let isCancelled = Atomic<Bool>(false)

    var done: UInt64 { count.load(ordering: .relaxed) }

    /// Counts what is done; throws when no more is wanted.
    func add(_ amount: UInt64) throws(StorageError) {
        if isCancelled.load(ordering: .relaxed) {
            throw StorageError(.cancelled, kind: .retryable, "The restore ends.")
        }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }
}

/// Does pieces of a restore's work side by side. Progress, and with it the wish to end, stays with the thread that
/// waits.
enum ParallelWork {
    /// The results in the order of the pieces. The first piece, by that order, that fails ends them all.
    /// - Parameter progress: is told several times a second what is done; throws to end the work.
    static func run<Piece: Sendable>(
        _ count: Int, jobs: Int,
        work: @escaping @Sendable (Int, ParallelProgress) throws(StorageError) -> Piece,
        progress: (UInt64) throws(StorageError) -> Void
    ) throws(StorageError) -> [Piece] {
        let shared = ParallelProgress()
        var pieces: [Piece] = []
        var failure: StorageError?
        func tell() -> Bool {
            do throws(StorageError) {
                try progress(shared.done)
                return true
            } catch {
                failure = error
                shared.cancel()
                return false
            }
        }
        try OrderedWork<Result<Piece, StorageError>>.run(
            count, threads: jobs, name: "falcon-restore",
            makeWorker: {
                { index in
                    do throws(StorageError) {
                        return .success(try work(index, shared))
                    } catch {
                        return .failure(error)
                    }
                }
            },
            idle: { tell() },
            take: { _, result in
                switch result {
                case .success(let piece):
                    pieces.append(piece)
                    return tell()
                case .failure(let error):
                    failure = error
                    shared.cancel()
                    return false
                }
            })
        if let failure { throw failure }
        return pieces
    }
}
