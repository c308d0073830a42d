//! The differences of two texts, line by line, with the numbers of the lines.

/// Lines of `old` that are gone (`-`) and lines of `new` that have come (`+`).
pub(crate) fn between(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    // common[i][j] is the length of the longest common part of what follows.
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut told = String::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            told += &format!("{:>3} - {}\n", i + 1, old[i]);
            i += 1;
        } else {
            told += &format!("{:>3} + {}\n", j + 1, new[j]);
            j += 1;
        }
    }
    if told.is_empty() { "    no difference\n".to_owned() } else { told }
}
