// Without the package's trait `MPI` this module is empty, and no MPI need be installed.
#if MPI
  public import AviaryTensor
  public import AviaryTraining
  import CMPI
  import Glibc

  /// Processes that MPI has started, on one machine or many (Message Passing Interface Forum, "MPI:
  /// A Message-Passing Interface Standard", 3.1, 2015).
  ///
  /// A mean is calculated once, by the process that owns that part of the numbers, in the order of
  /// the ranks and in double precision, and then sent to all: every process has the same bits, and
  /// each sends and receives twice what there is, however many there are.
  ///
  /// - Note: used by the thread that made it.
  public struct MPICommunicator: Communicator {
    /// Which process this is, from 0.
    public let rank: Int
    /// How many there are.
    public let size: Int

    /// Starts MPI.
    ///
    /// - Throws: `MPIError`.
    public init() throws(MPIError) {
      try check("MPI_Init_thread", aviary_mpi_start())
      var (rank, size) = (Int32(), Int32())
      try check("MPI_Comm_rank", unsafe aviary_mpi_rank(&rank))
      try check("MPI_Comm_size", unsafe aviary_mpi_size(&size))
      (self.rank, self.size) = (Int(rank), Int(size))
    }

    /// Ends MPI: no process calls it any more.
    public func finish() { _ = aviary_mpi_finish() }

    /// Ends all processes with a status: one that cannot go on must not let others wait for it.
    public func abort(status: Int32) -> Never {
      aviary_mpi_abort(status)
      exit(status)
    }

    /// Replaces every number by the mean over the processes.
    public func average(_ values: inout [Double]) throws {
      let all: [Double] = try gathered(values)
      let count = values.count
      for i in values.indices {
        var sum = 0.0
        for rank in 0..<size { sum += all[rank * count + i] }
        values[i] = sum / Double(size)
      }
    }

    /// Replaces every element of tensors by the mean over the processes.
    public func average(_ tensors: inout [String: Tensor], _ names: [String]) throws {
      // One exchange for all: a message costs more than a thousand numbers.
      let all = packed(tensors, names)
      let part = (all.count + size - 1) / size
      // 2^30 bytes a process at once; more parameters than that no network of the registry has.
      guard part < 1 << 28 else {
        throw MPIError(call: "MPI_Alltoall", reason: "\(part) numbers for a process")
      }
      var padded = all
      padded.append(contentsOf: repeatElement(0, count: part * size - all.count))
      var received = [Float](repeating: 0, count: part * size)
      try check(
        "MPI_Alltoall",
        unsafe aviary_mpi_exchange(padded, &received, Int32(part * MemoryLayout<Float>.stride)))
      var mean = [Float](repeating: 0, count: part)
      for i in 0..<part {
        var sum = 0.0
        for rank in 0..<size { sum += Double(received[rank * part + i]) }
        mean[i] = Float(sum / Double(size))
      }
      unpack(try gathered(mean), into: &tensors, names)
    }

    /// Replaces tensors by those of rank 0.
    public func broadcast(_ tensors: inout [String: Tensor], _ names: [String]) throws {
      var all = packed(tensors, names)
      // A message's length is an Int32.
      let most = 1 << 28
      var start = 0
      while start < all.count {
        let count = min(most, all.count - start)
        let status = unsafe all.withUnsafeMutableBytes { bytes in
          unsafe aviary_mpi_broadcast(
            bytes.baseAddress.map { unsafe $0 + start * MemoryLayout<Float>.stride },
            Int32(count * MemoryLayout<Float>.stride))
        }
        try check("MPI_Bcast", status)
        start += count
      }
      unpack(all, into: &tensors, names)
    }

    /// The texts of all processes, in the order of the ranks.
    public func gather(_ text: String) throws -> [String] {
      let counts = try gathered([text.utf8.count])
      let most = counts.max() ?? 0
      // A message's length is an Int32.
      guard most * size <= Int(Int32.max) else {
        throw MPIError(call: "MPI_Allgather", reason: "\(most) bytes for a process")
      }
      let bytes = Array(text.utf8) + Array(repeating: 0, count: most - text.utf8.count)
      let all = try gathered(bytes)
      return counts.enumerated().map { rank, count in
        String(decoding: all[rank * most..<rank * most + count], as: UTF8.self)
      }
    }

    /// Waits until all processes are here.
    public func barrier() throws { try check("MPI_Barrier", aviary_mpi_barrier()) }

    /// The numbers of all processes, in the order of ranks.
    private func gathered<Number: BitwiseCopyable & ExpressibleByIntegerLiteral>(
      _ values: [Number]
    ) throws(MPIError) -> [Number] {
      var all = [Number](repeating: 0, count: values.count * size)
      try check(
        "MPI_Allgather",
        unsafe aviary_mpi_gather(
          values, &all, Int32(values.count * MemoryLayout<Number>.stride)))
      return all
    }

    private func packed(_ tensors: [String: Tensor], _ names: [String]) -> [Float] {
      var all: [Float] = []
      all.reserveCapacity(names.reduce(0) { $0 + (tensors[$1]?.count ?? 0) })
      for name in names {
        guard let tensor = tensors[name] else { continue }
        unsafe tensor.withFloats { unsafe all.append(contentsOf: $0) }
      }
      return all
    }

    private func unpack(
      _ all: [Float], into tensors: inout [String: Tensor], _ names: [String]
    ) {
      var start = 0
      for name in names {
        // Taken out and put back, so that it is written in place.
        guard var tensor = tensors.removeValue(forKey: name) else { continue }
        unsafe tensor.withMutableFloats { values in
          for i in values.indices { unsafe values[i] = all[start + i] }
        }
        start += tensor.count
        tensors[name] = tensor
      }
    }
  }

  /// A call of MPI that failed.
  public struct MPIError: Error, Hashable, Sendable, CustomStringConvertible {
    let call: String
    let reason: String

    /// One line: the thing, and what is wrong with it.
    public var description: String { "MPI: \(call) failed: \(reason)" }
  }

  private func check(_ call: String, _ status: Int32) throws(MPIError) {
    if status != 0 { throw MPIError(call: call, reason: "status \(status)") }
  }
#endif
