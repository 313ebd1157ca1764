public import AviaryGraph
import AviaryImage
import AviaryTensor

/// Pictures to learn from, in memory, and the batches that are drawn of them.
///
/// A batch is a function of the seed and the step alone: each of its samples has a random stream of
/// its own. So any number of threads or processes, and a training that is resumed, draw the same. A
/// sample is a patch at a place of a picture; every place of every picture is equally likely, so
/// large pictures are seen more often than small ones.
///
/// What the network is given is what it is given when pictures are enlarged or evaluated: originals
/// cut to a multiple of the scale and reduced as MATLAB's `imresize` does it, rounded to 8 bits;
/// the colours, range, mean and deviation of its `Picture`; enlarged bicubically, without rounding,
/// where it wants that. Of a colour picture, a network on gray is shown one channel.
public struct TrainingSet: Sendable {
  /// A picture that is left out.
  public struct Skipped: Hashable, Sendable {
    /// The target's path within its folder.
    public var name: String
    /// What is wrong, in a line.
    public var reason: String
  }

  /// The largest number of bytes that pictures may take in memory, one for each sample: 4 GiB.
  public static let memoryLimit = 1 << 32

  /// How patches lie to each other.
  public let geometry: PatchGeometry
  /// The pictures that are left out, by name.
  public let skipped: [Skipped]
  /// The SHA-256, in hexadecimal, of the names and contents of all files used and of what is done to
  /// them: the same wherever the folders lie.
  public let fingerprint: String
  /// How many pictures there are.
  public var pictureCount: Int { pairs.count }
  /// How many places for patches there are in all pictures.
  public var placeCount: Int { ends[ends.count - 1] }
  /// How batches are drawn.
  let recipe: BatchRecipe

  private let data: DataRecipe
  private let picture: Picture
  private let seed: UInt64
  private let pairs: [PicturePair]
  /// The places in all pictures up to each.
  private let ends: [Int]

  /// Reads the pictures.
  ///
  /// - Parameters:
  ///   - picture: how the network takes pictures and gives them back.
  ///   - geometry: of the network and the patches.
  ///   - seed: where random numbers come from.
  ///   - memoryLimit: how many bytes pictures may take.
  ///   - progress: is told how many pictures are read, and of how many.
  /// - Throws: `TrainingError.recipe` for a strength or a size that there is not; `.data` for a
  ///   folder that is missing or has no pictures, more pictures left out than the recipe tolerates,
  ///   a picture whose partner is missing or has another size, pictures beyond the memory limit.
  public init(
    _ data: DataRecipe, _ recipe: BatchRecipe, picture: Picture, geometry: PatchGeometry,
    seed: UInt64, memoryLimit: Int = TrainingSet.memoryLimit,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(TrainingError) {
    try data.check()
    guard 1...1 << 16 ~= recipe.size else {
      throw .recipe(field: "batch.size", expected: "1 to 65536", found: "\(recipe.size)")
    }
    var loading = PictureLoading(data, geometry, memoryLimit: memoryLimit)
    try loading.load(progress)
    pairs = loading.pairs
    skipped = loading.skipped
    fingerprint = loading.fingerprint
    var ends: [Int] = []
    for pair in pairs {
      // At most 2^32 samples in all: no overflow.
      let places =
        geometry.places(along: pair.target.width) * geometry.places(along: pair.target.height)
      ends.append((ends.last ?? 0) + places)
    }
    self.ends = ends
    self.data = data
    self.recipe = recipe
    self.picture = picture
    self.geometry = geometry
    self.seed = seed
  }

  /// The batch of a step, or a process's part of it.
  ///
  /// - Parameters:
  ///   - rank: which part, of `ranks` as equal ones as can be: samples `rank * size / ranks` up to
  ///     `(rank + 1) * size / ranks`.
  /// - Throws: `TrainingError.data` where a patch cannot be made: for want of memory.
  public func batch(
    step: Int, rank: Int = 0, of ranks: Int = 1
  ) throws(TrainingError) -> Batch {
    let samples = rank * recipe.size / ranks..<(rank + 1) * recipe.size / ranks
    let channels = picture.colour.channels
    do {
      var batch = Batch(
        input: try Tensor(zeros: [samples.count, channels, geometry.side, geometry.side]),
        target: try Tensor(
          zeros: [samples.count, channels, geometry.outputHeight, geometry.outputWidth]))
      for sample in samples {
        try draw(step: step, sample: sample, at: sample - samples.lowerBound, into: &batch)
      }
      return batch
    } catch {
      throw .data(path: data.targets, expected: "batch \(step)", found: "\(error)")
    }
  }

  /// Which stream of the seed batches are drawn from: the letters "data".
  private static let purpose: UInt64 = 0x6461_7461

  private func draw(
    step: Int, sample: Int, at position: Int, into batch: inout Batch
  ) throws(ImageError) {
    var generator = SeededGenerator(
      seed: seed, TrainingSet.purpose, UInt64(bitPattern: Int64(step)), UInt64(sample))
    let place = generator.integer(below: placeCount)
    // The first picture that ends after the place.
    var (low, high) = (0, pairs.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] > place { high = middle } else { low = middle + 1 }
    }
    let pair = pairs[low]
    let (row, column) = (place - (low > 0 ? ends[low - 1] : 0)).quotientAndRemainder(
      dividingBy: geometry.places(along: pair.target.width))
    let augmentation = Augmentation(recipe, using: &generator)
    let patch = try pair.patch(
      x: column + geometry.first, y: row + geometry.first, geometry, picture.colour, augmentation,
      data.degradations, using: &generator)
    write(patch, augmentation, at: position, into: &batch)
  }
}

// MARK: - Into tensors

extension TrainingSet {
  /// Puts a patch in its place, turned, in the network's values.
  private func write(
    _ patch: PatchPair, _ augmentation: Augmentation, at position: Int, into batch: inout Batch
  ) {
    let (side, excess, lead) = (geometry.side, geometry.excess, geometry.lead)
    let (height, width) = (geometry.outputHeight, geometry.outputWidth)
    copy(
      patch.input, augmentation.layout(side: side, margin: 0), rows: 0..<side, columns: 0..<side,
      to: &batch.input, at: position)
    copy(
      patch.target, augmentation.layout(side: side * geometry.ratio, margin: excess),
      rows: lead.rows..<lead.rows + height, columns: lead.columns..<lead.columns + width,
      to: &batch.target, at: position)
    guard picture.output != .picture else { return }
    // What is to be added to the input, or subtracted from it, to give the target.
    let sign: Float = picture.output == .residual ? 1 : -1
    let channels = patch.input.channels
    unsafe batch.target.withMutableFloats { target in
      unsafe batch.input.withFloats { input in
        for plane in position * channels..<(position + 1) * channels {
          for row in 0..<height {
            let from = (plane * side + row + lead.rows) * side + lead.columns
            let to = (plane * height + row) * width
            for column in 0..<width {
              unsafe target[to + column] = sign * (target[to + column] - input[from + column])
            }
          }
        }
      }
    }
  }

  /// Copies a part of a turned square to a sample of a batch.
  private func copy(
    _ image: Image, _ layout: (origin: Int, rowStep: Int, columnStep: Int), rows: Range<Int>,
    columns: Range<Int>, to tensor: inout Tensor, at position: Int
  ) {
    let (channels, planeSize) = (image.channels, image.width * image.height)
    unsafe tensor.withMutableFloats { target in
      unsafe image.withFloats { source in
        var to = position * channels * rows.count * columns.count
        for plane in 0..<channels {
          let (factor, offset) = picture.scaling(channel: plane)
          for row in rows {
            var from =
              plane * planeSize + layout.origin + row * layout.rowStep
              + columns.lowerBound * layout.columnStep
            for _ in 0..<columns.count {
              unsafe target[to] = source[from] * factor + offset
              from += layout.columnStep
              to += 1
            }
          }
        }
      }
    }
  }
}
