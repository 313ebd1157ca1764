import ArgumentParser
import AviaryMPI
import AviaryTraining
import Glibc

/// The processes that `mpirun` started together: the one place where the program joins and leaves
/// them.
enum Processes {
  /// The variables in which Open MPI, MPICH and Slurm pass the number of processes.
  private static let variables = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"]

  /// How many processes were started together; 1 without `mpirun`.
  private static var count: Int {
    variables.lazy.compactMap { name in
      unsafe getenv(name).flatMap { unsafe Int(String(cString: $0)) }
    }.first ?? 1
  }

  /// Calls `body` with the processes that work together.
  ///
  /// An error in one process ends them all with its status, because the others would wait for it
  /// for ever. An `ExitCode` is not an error: `body` has already reported everything, and throws it
  /// in every process.
  ///
  /// - Throws: what `body` throws if there is one process, and `ExitCode`s;
  ///   `CommandError.processes` if there are several that cannot find each other.
  static func together(_ body: (any Communicator) throws -> Void) throws {
    let count = count
    guard count > 1 else { return try body(OneProcess()) }
    #if MPI
      let world = try MPICommunicator()
      guard world.size == count else {
        throw CommandError.processes(
          expected: "\(count) that mpirun of Open MPI started", found: "\(world.size)")
      }
      do {
        try body(world)
      } catch let status as ExitCode {
        try leave(world)
        throw status
      } catch {
        // An error that every process finds, such as one in the recipe, is reported by the first;
        // the others wait, and are usually ended before they would report it.
        if world.rank > 0 { usleep(1_000_000 + 100_000 * UInt32(min(world.rank, 100))) }
        Console.error(error)
        world.abort(status: ExitStatus(error).rawValue)
      }
      try leave(world)
    #else
      throw CommandError.processes(
        expected: "one, for this program was built without MPI (swift build --traits MPI)",
        found: "\(count)")
    #endif
  }

  #if MPI
    /// Ends MPI. `mpirun` ends all processes once one ends with a status: none may have work left.
    private static func leave(_ world: MPICommunicator) throws {
      try world.barrier()
      world.finish()
    }
  #endif
}
