const METRES_PER_DEGREE = 111_195;

/** How many metres a place lies beside a line of points. */
export function besideM({ lon, lat }, line) {
  const point = flat([lon, lat]);
  const distances = line.slice(1).map((end, index) => toSegment(point, flat(line[index]), flat(end)));
  return Math.min(...distances);
}

function flat([lon, lat]) {
  return [lon * METRES_PER_DEGREE * Math.cos((35.9 * Math.PI) / 180), lat * METRES_PER_DEGREE];
}

function toSegment([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy;
  const share = squared ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / squared)) : 0;
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}
