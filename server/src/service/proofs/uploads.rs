//! Slots for photos being received: each photo is in memory as a whole, from its first byte until it is kept.
//!
//! A phone that finds no slot must try again later. A device has few of them, so that one slow or hostile phone leaves
//! room for all others.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::DeviceId;

/// Photos that are received at once, in all and of one device. A phone sends one after the other; a second one comes
/// while the server has not noticed yet that the first connection is gone.
const SLOTS: usize = 16;
const SLOTS_OF_DEVICE: usize = 2;

/// The slots. Shared by reference.
#[derive(Debug, Default)]
pub struct Uploads {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_device: HashMap<DeviceId, usize>,
}

/// A slot; dropping it frees it.
#[derive(Debug)]
pub struct UploadSlot<'a> {
    uploads: &'a Uploads,
    device: DeviceId,
}

impl Uploads {
    /// A slot for a photo of `device`, if one is free.
    pub fn take(&self, device: DeviceId) -> Option<UploadSlot<'_>> {
        let mut taken = self.lock();
        let of_device = taken.by_device.get(&device).copied().unwrap_or_default();
        if taken.all >= SLOTS || of_device >= SLOTS_OF_DEVICE {
            return None;
        }
        taken.all += 1;
        taken.by_device.insert(device, of_device + 1);
        Some(UploadSlot { uploads: self, device })
    }

    /// How many slots are taken.
    pub fn taken(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UploadSlot<'_> {
    fn drop(&mut self) {
        let mut taken = self.uploads.lock();
        taken.all -= 1;
        if let Some(of_device) = taken.by_device.get_mut(&self.device) {
            *of_device -= 1;
            if *of_device == 0 {
                taken.by_device.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_leaves_room_for_others() {
        let (uploads, device) = (Uploads::default(), DeviceId::new());
        let first = uploads.take(device).expect("a slot");
        let _second = uploads.take(device).expect("a slot");
        assert!(uploads.take(device).is_none());
        let others: Vec<_> = (2..SLOTS).map(|_| uploads.take(DeviceId::new()).expect("a slot")).collect();
        assert!(uploads.take(DeviceId::new()).is_none(), "all are taken");
        drop(first);
        assert!(uploads.take(device).is_some());
        drop(others);
        assert_eq!((uploads.taken(), uploads.lock().by_device.len()), (1, 1));
    }
}
